-- I18: rules hold
-- At no version is an account below zero, and nothing changes it after it was closed.
--
-- needs: events
-- by: aggregate
-- evidence: at least one event
-- reading: `version` is the event that should have been refused, `found` the balance after it.

--@ violations
SELECT
    'below zero' AS what,
    r.aggregate, r.version, r.event_id, r.key, 0 AS expected, r.balance AS found
FROM (
    SELECT
        aggregate, version, event_id, key,
        SUM(amount) OVER (
            PARTITION BY aggregate ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS balance
    FROM events
) r
WHERE r.balance < 0
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
SELECT 'events' AS what, COUNT(*) AS seen, 1 AS needed FROM events
