-- I2: nothing lost
-- Every event of the log is projected in the final state, and the outbox is empty.
--
-- needs: events, lines, accounts
-- by: aggregate
-- evidence: at least one event
-- reading: the event exists and the read model does not show it, although the run had waited.
--   `found` is the account's version on the read side.

--@ violations
SELECT
    CASE
        WHEN e.in_outbox THEN 'still in the outbox'
        WHEN e.projected_at_ms IS NULL THEN 'never acknowledged'
        WHEN a.version IS NULL THEN 'no account on the read side'
        WHEN a.version < e.version THEN 'the read side is behind'
        ELSE 'no statement line'
    END AS what,
    e.aggregate, e.version, e.event_id, e.key,
    e.version AS expected, COALESCE(a.version, 0) AS found
FROM events e
LEFT JOIN accounts a ON a.aggregate = e.aggregate
WHERE e.in_outbox
    OR e.projected_at_ms IS NULL
    OR a.version IS NULL
    OR a.version < e.version
    OR NOT EXISTS (
        SELECT 1 FROM lines l WHERE l.aggregate = e.aggregate AND l.version = e.version
    )

--@ evidence
SELECT 'events' AS what, COUNT(*) AS seen, 1 AS needed FROM events
