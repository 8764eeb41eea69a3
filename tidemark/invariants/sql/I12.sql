-- I12: poison isolated
-- Every message that was injected and can never be projected is in the dead-letter queue, once;
-- twice only under two message ids. Everybody else's events are projected all the same.
--
-- needs: faults, dead_letters, events, deliveries
-- by: all
-- evidence: at least one injected poison
-- reading: poison that is not in the dead-letter queue was swallowed, or goes round for ever.

--@ violations
SELECT
    'injected poison is not in the dead-letter queue' AS what,
    f.aggregate, NULL AS version, f.event_id, f.message_id AS key, 1 AS expected, 0 AS found
FROM faults f
WHERE f.fault = 'poison' AND f.message_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.message_id = f.message_id)
UNION ALL
SELECT
    'one message is several times in the dead-letter queue',
    MIN(d.aggregate), MIN(d.version), MIN(d.event_id), d.message_id, 1, COUNT(*)
FROM dead_letters d
GROUP BY d.message_id
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a healthy event ended as a dead letter',
    e.aggregate, e.version, e.event_id, d.message_id, NULL, d.receive_count
FROM dead_letters d
JOIN events e ON e.event_id = d.event_id AND e.aggregate = d.aggregate AND e.version = d.version
WHERE e.projected_at_ms IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM faults f WHERE f.fault = 'poison' AND f.message_id = d.message_id
    )

UNION ALL
SELECT
    'a dead letter says something else than its deliveries did',
    l.aggregate, l.version, l.event_id, l.message_id, NULL, NULL
FROM dead_letters l
WHERE EXISTS (
    SELECT 1 FROM deliveries d
    WHERE d.message_id = l.message_id
        AND (
            d.event_id IS DISTINCT FROM l.event_id
            OR d.aggregate IS DISTINCT FROM l.aggregate
            OR d.version IS DISTINCT FROM l.version
        )
)

--@ evidence
SELECT 'injected poison' AS what, COUNT(*) AS seen, 1 AS needed
FROM faults
WHERE fault = 'poison' AND message_id IS NOT NULL
