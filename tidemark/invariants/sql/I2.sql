-- I2: nothing lost
-- Every event of the log is projected in the final state, and the outbox is empty. A system of
-- which views alone are exported has neither marks nor statement lines.
--
-- needs: events, lines, accounts, settings
-- evidence: at least one event
-- reading: the event exists and the read model does not show it, although the run had waited.
--   `found` is the account's version on the read side.
-- example: the read side is behind: account a1, version 3, event e9, key r.w1.c2.7, expected 3,
--   found 2. The message of the third event was lost, and nobody published it again.

--@ violations
WITH kept AS (
    SELECT COUNT(*) = 0 AS are_marks_and_lines
    FROM settings
    WHERE name = 'views_only' AND value = 1
)
SELECT
    CASE
        WHEN e.in_outbox THEN 'still in the outbox'
        WHEN e.projected_at_ms IS NULL AND k.are_marks_and_lines THEN 'never acknowledged'
        WHEN a.version IS NULL THEN 'no account on the read side'
        WHEN a.version < e.version THEN 'the read side is behind'
        ELSE 'no statement line'
    END AS what,
    e.aggregate, e.version, e.event_id, e.key,
    e.version AS expected, COALESCE(a.version, 0) AS found
FROM events e
CROSS JOIN kept k
LEFT JOIN accounts a ON a.aggregate = e.aggregate
WHERE e.in_outbox
    OR (e.projected_at_ms IS NULL AND k.are_marks_and_lines)
    OR a.version IS NULL
    OR a.version < e.version
    OR (
        k.are_marks_and_lines AND NOT EXISTS (
            SELECT 1 FROM lines l WHERE l.aggregate = e.aggregate AND l.version = e.version
        )
    )

--@ evidence
SELECT 'events' AS what, COUNT(*) AS seen, 1 AS needed FROM events
