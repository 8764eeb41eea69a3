-- I18: rules hold
-- At no version is an account below zero, none is closed with money in it, and nothing changes
-- one that was closed.
--
-- needs: events
-- evidence: at least one event that says what it adds to a balance
-- reading: `version` is the event that should have been refused, `found` the balance after it.
-- example: below zero: account a1, version 5, event e9, key r.w1.c2.7, expected 0, found -20. Two
--   withdrawals were decided on one balance, and both were written.

--@ violations
WITH summed AS (
    -- Events at one version are peers: each row has the sum with all of them.
    SELECT
        aggregate, version, event_id, key, is_closed,
        SUM(amount) OVER (PARTITION BY aggregate ORDER BY version) AS balance
    FROM (
        SELECT
            aggregate, version, event_id, amount,
            MIN(key) AS key, BOOL_OR(status = 'closed') AS is_closed
        FROM events
        GROUP BY aggregate, version, event_id, amount
    ) distinct_events
)
SELECT
    'below zero' AS what,
    r.aggregate, r.version, r.event_id, r.key, 0 AS expected, r.balance AS found
FROM summed r
WHERE r.balance < 0
UNION ALL
SELECT
    'closed with money in it',
    r.aggregate, r.version, r.event_id, r.key, 0, r.balance
FROM summed r
WHERE r.is_closed AND r.balance > 0
UNION ALL
SELECT
    'changed after it was closed',
    e.aggregate, e.version, e.event_id, e.key, c.version, e.version
FROM events e
JOIN (
    SELECT aggregate, MIN(version) AS version FROM events WHERE status = 'closed' GROUP BY aggregate
) c ON c.aggregate = e.aggregate
WHERE e.version > c.version

--@ evidence
SELECT 'events of a balance' AS what, COUNT(amount) AS seen, 1 AS needed FROM events
