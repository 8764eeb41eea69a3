-- I15: graceful under throttling
-- While the update processor is throttled nothing that was accepted is lost, no message is tried
-- more often than the queue allows, and after the throttle is gone the lag is back within its
-- bound: at most one event in a hundred is later.
--
-- needs: events, deliveries, faults, settings
-- evidence: every throttle ended, and 20 events recorded after them and the time to recover
-- reading: `expected` is the bound, `found` how many are beyond it.
-- example: an event of the time of the throttle is not projected: account a1, version 2, event e9,
--   key r.w1.c2.7. It was accepted while the processor was throttled, and after that nobody came
--   back to it.

--@ violations
SELECT
    'an event of the time of the throttle is not projected' AS what,
    e.aggregate, e.version, e.event_id, e.key, NULL AS expected, NULL AS found
FROM events e
WHERE e.projected_at_ms IS NULL AND EXISTS (
    SELECT 1 FROM faults f
    WHERE f.fault = 'throttled'
        AND e.recorded_at_ms * 1000000 >= f.start_ns
        AND (f.end_ns IS NULL OR e.recorded_at_ms * 1000000 <= f.end_ns)
)
UNION ALL
SELECT
    'a message was delivered more often than the queue allows',
    MIN(d.aggregate), MIN(d.version), MIN(d.event_id), d.message_id, s.value, MAX(d.receive_count)
FROM deliveries d
JOIN settings s ON s.name = 'most_receives'
GROUP BY d.message_id, s.value
HAVING MAX(d.receive_count) > s.value
UNION ALL
SELECT
    'the lag did not come back: more than one event in a hundred is later than the bound',
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
    JOIN settings r ON r.name = 'recovery_ms'
    WHERE e.recorded_at_ms * 1000000 > r.value * 1000000 + (
        SELECT MAX(f.end_ns) FROM faults f WHERE f.fault = 'throttled'
    )
) late
WHERE late.late * 100 > late.events
    AND NOT EXISTS (SELECT 1 FROM faults f WHERE f.fault = 'throttled' AND f.end_ns IS NULL)

--@ evidence
SELECT 'throttles that ended' AS what, COUNT(end_ns) AS seen, GREATEST(COUNT(*), 1) AS needed
FROM faults
WHERE fault = 'throttled'
UNION ALL
SELECT 'bounds', COUNT(*), 3
FROM settings
WHERE name IN ('lag_bound_ms', 'most_receives', 'recovery_ms')
UNION ALL
SELECT 'events recorded after the throttle', COUNT(*), 20
FROM events e
JOIN settings r ON r.name = 'recovery_ms'
WHERE e.recorded_at_ms * 1000000 > r.value * 1000000 + (
    SELECT MAX(f.end_ns) FROM faults f WHERE f.fault = 'throttled'
)
