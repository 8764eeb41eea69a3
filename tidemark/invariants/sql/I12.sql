-- I12: poison isolated
-- Every message that was injected and can never be projected is in the dead-letter queue, once;
-- twice only under two message ids. Everybody else's events are projected all the same, and from
-- the first poison to the end of the last at most one in a hundred comes later than the bound; of
-- those that another fault may have held up nothing is said.
--
-- needs: faults, dead_letters, events, deliveries, settings
-- evidence: at least one injected poison, known by its message or event, and the bound of lag
-- reading: poison that is not in the dead-letter queue was swallowed, or goes round for ever. A
--   dead letter whose event is projected is stale: counted, and neither poison nor loss.
-- example: injected poison is not in the dead-letter queue: key m17, expected 1, found 0. The
--   message that nobody can project was acknowledged, and with it the reason was lost.

--@ violations
SELECT
    'injected poison is not in the dead-letter queue' AS what,
    f.aggregate, NULL AS version, f.event_id, f.message_id AS key, 1 AS expected, 0 AS found
FROM faults f
WHERE f.fault = 'poison' AND (f.message_id IS NOT NULL OR f.event_id IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.message_id = f.message_id)
    AND NOT EXISTS (
        SELECT 1 FROM dead_letters d WHERE d.event_id = f.event_id AND f.message_id IS NULL
    )
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
    'a dead letter that is nobody''s poison, and of no event of the log',
    d.aggregate, d.version, d.event_id, d.message_id, NULL, d.receive_count
FROM dead_letters d
WHERE NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.event_id = d.event_id AND e.aggregate = d.aggregate AND e.version = d.version
    )
    AND NOT EXISTS (
        SELECT 1 FROM faults f
        WHERE f.fault = 'poison' AND (f.message_id = d.message_id OR f.event_id = d.event_id)
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
            OR d.receive_count > l.receive_count
        )
)
UNION ALL
SELECT
    'while poison went round, more than one event in a hundred was later than the bound',
    NULL, NULL, NULL, NULL, late.events, late.late
FROM (
    SELECT
        COUNT(*) AS events,
        SUM(
            CASE
                WHEN e.projected_at_ms IS NULL THEN 1
                WHEN e.projected_at_ms - e.recorded_at_ms > s.value THEN 1
                ELSE 0
            END
        ) AS late
    FROM events e
    JOIN settings s ON s.name = 'lag_bound_ms'
    CROSS JOIN (
        SELECT
            MIN(start_ns) AS start_ns,
            MAX(end_ns) AS end_ns,
            BOOL_OR(end_ns IS NULL) AS never_ended
        FROM faults
        WHERE fault = 'poison'
    ) poison
    WHERE e.recorded_at_ms * 1000000 >= poison.start_ns
        AND (poison.never_ended OR e.recorded_at_ms * 1000000 <= poison.end_ns)
        AND NOT EXISTS (
            SELECT 1 FROM faults f WHERE f.fault = 'poison' AND f.aggregate = e.aggregate
        )
        AND NOT EXISTS (
            SELECT 1 FROM faults f
            WHERE f.fault <> 'poison'
                AND (e.projected_at_ms IS NULL OR f.start_ns <= e.projected_at_ms * 1000000)
                AND (f.end_ns IS NULL OR f.end_ns >= e.recorded_at_ms * 1000000)
        )
) late
WHERE late.late * 100 > late.events

--@ evidence
SELECT 'injected poison' AS what, COUNT(*) AS seen, 1 AS needed
FROM faults
WHERE fault = 'poison' AND (message_id IS NOT NULL OR event_id IS NOT NULL)
UNION ALL
SELECT 'bounds of lag', COUNT(*), 1 FROM settings WHERE name = 'lag_bound_ms'
UNION ALL
SELECT 'stale dead letters', COUNT(*), 0
FROM dead_letters d
JOIN events e ON e.event_id = d.event_id AND e.aggregate = d.aggregate AND e.version = d.version
WHERE e.projected_at_ms IS NOT NULL
