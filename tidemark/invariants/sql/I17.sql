-- I17: head equals fold
-- What the write side keeps in order to decide, the head of an account, is the fold of its events.
--
-- needs: events, heads, settings
-- evidence: at least one head
-- reading: `expected` is the version of the log, `found` that of the head. The next command would
--   have been decided on something that never was.
-- example: the head is not the fold of its events: account a1, version 3, event e9, key r.w1.c2.7,
--   expected 3, found 3. The head has version 3 with the balance of version 2: the next withdrawal
--   is decided on money that is not there.

--@ violations
WITH latest AS (
    SELECT aggregate, MAX(version) AS version FROM events GROUP BY aggregate
)
SELECT
    CASE
        WHEN h.aggregate IS NULL THEN 'events without a head'
        WHEN h.version <> l.version THEN 'the head is at another version than its log'
        ELSE 'the head is not the fold of its events'
    END AS what,
    l.aggregate, l.version, e.event_id, e.key,
    l.version AS expected, COALESCE(h.version, 0) AS found
FROM latest l
JOIN events e ON e.aggregate = l.aggregate AND e.version = l.version
LEFT JOIN heads h ON h.aggregate = l.aggregate
WHERE h.version <> l.version OR h.digest <> e.state_digest
    OR (
        h.aggregate IS NULL
        AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)
    )
UNION ALL
SELECT
    'two heads of one account',
    aggregate, NULL, NULL, NULL, 1, COUNT(*)
FROM heads
GROUP BY aggregate
HAVING COUNT(*) > 1

--@ evidence
SELECT 'heads' AS what, COUNT(*) AS seen, 1 AS needed FROM heads
