-- I7: atomic projection
-- An event is marked as projected exactly when its statement line is there and exactly when the
-- account is at its version or beyond: in the final state, and in every sample that one
-- transaction read while the run went on. Of one who takes samples one after the other, none
-- shows an account behind an earlier one. Scans under load are never evidence.
--
-- needs: events, lines, accounts, snapshots, settings
-- evidence: 20 samples of events not yet projected, taken within a second of the append, and 20
--   of projected ones
-- reading: half of a projection was visible: `expected` is the version of the event, `found` the
--   account's.
-- example: a sample shows an effect without the mark: account a1, version 2, event e9, expected 2,
--   found 2. The account was written first, line and mark in a second write, and a reader came in
--   between.

--@ violations
SELECT
    CASE
        WHEN s.projected_at_ms IS NULL THEN 'a sample shows an effect without the mark'
        ELSE 'a sample shows the mark without all effects'
    END AS what,
    s.aggregate, s.version, s.event_id, NULL AS key,
    s.version AS expected, s.account_version AS found
FROM snapshots s
WHERE (s.projected_at_ms IS NOT NULL) <> s.has_line
    OR (s.projected_at_ms IS NOT NULL) <> (s.account_version >= s.version)
UNION ALL
SELECT
    'in the final state, the mark without all effects',
    e.aggregate, e.version, e.event_id, e.key, e.version, COALESCE(a.version, 0)
FROM events e
LEFT JOIN accounts a ON a.aggregate = e.aggregate
WHERE e.projected_at_ms IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events u
        WHERE u.aggregate = e.aggregate AND (u.in_outbox OR u.projected_at_ms IS NULL)
    )
    AND (
        COALESCE(a.version, 0) < e.version
        OR (
            NOT EXISTS (
                SELECT 1 FROM lines l WHERE l.aggregate = e.aggregate AND l.version = e.version
            )
            AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)
        )
    )
UNION ALL
SELECT
    'a sample of an event that the log does not have so',
    s.aggregate, s.version, s.event_id, NULL, NULL, NULL
FROM snapshots s
WHERE NOT EXISTS (
    SELECT 1 FROM events e
    WHERE e.aggregate = s.aggregate AND e.version = s.version AND e.event_id = s.event_id
        AND e.recorded_at_ms = s.recorded_at_ms
        AND (s.projected_at_ms IS NULL OR s.projected_at_ms = e.projected_at_ms)
)
UNION ALL
SELECT
    'a sample of an account at a version that the log does not have',
    s.aggregate, s.version, s.event_id, NULL, NULL, s.account_version
FROM snapshots s
WHERE s.account_version <> 0 AND NOT EXISTS (
    SELECT 1 FROM events e WHERE e.aggregate = s.aggregate AND e.version = s.account_version
)
UNION ALL
SELECT
    'a sample of an account behind an earlier sample',
    s.aggregate, s.version, s.event_id, NULL, s.seen, s.account_version
FROM (
    SELECT
        aggregate, version, event_id, account_version,
        MAX(account_version) OVER (
            PARTITION BY writer, aggregate
            ORDER BY sample, account_version
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS seen
    FROM snapshots
) s
WHERE s.account_version < s.seen
UNION ALL
SELECT
    'the account and the mark of its event are of different transactions',
    a.aggregate, a.version, e.event_id, e.key, e.projected_at_ms, a.projected_at_ms
FROM accounts a
JOIN events e ON e.aggregate = a.aggregate AND e.version = a.version
WHERE e.projected_at_ms IS NOT NULL AND e.projected_at_ms <> a.projected_at_ms

--@ unknown
SELECT 'an event of it is not projected' AS what, e.aggregate
FROM events e
WHERE (e.in_outbox OR e.projected_at_ms IS NULL)
    AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)

--@ evidence
SELECT 'samples before the projection' AS what, COUNT(*) AS seen, 20 AS needed
FROM snapshots
WHERE projected_at_ms IS NULL AND taken_at_ms - recorded_at_ms < 1000
UNION ALL
SELECT 'samples after the projection', COUNT(*), 20
FROM snapshots
WHERE projected_at_ms IS NOT NULL
