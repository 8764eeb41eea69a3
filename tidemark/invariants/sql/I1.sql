-- I1: durable accept
-- What the API accepted is in the log exactly once, and does what was asked; what it refused is
-- not in the log; what ended without an answer is there once or not at all.
--
-- needs: ops, events
-- by: command
-- evidence: at least one command that was accepted
-- reading: `key` is the idempotency key whose command and event do not agree. Look at its ops
--   first: an acknowledged command that is not in the log is data loss.

--@ violations
WITH asked AS (
    SELECT
        principal,
        key,
        BOOL_OR(outcome = 'ok') AS is_accepted,
        BOOL_OR(outcome = 'info') AS is_open,
        MIN(aggregate) AS aggregate
    FROM ops
    WHERE kind = 'command'
    GROUP BY principal, key
),
logged AS (
    SELECT principal, key, COUNT(DISTINCT event_id) AS events, MIN(aggregate) AS aggregate
    FROM events
    GROUP BY principal, key
)
SELECT
    'accepted, and not in the log' AS what,
    a.aggregate, NULL AS version, NULL AS event_id, a.key, 1 AS expected, 0 AS found
FROM asked a
WHERE a.is_accepted
    AND NOT EXISTS (SELECT 1 FROM logged l WHERE l.principal = a.principal AND l.key = a.key)
UNION ALL
SELECT
    'one command, several events',
    l.aggregate, NULL, NULL, l.key, 1, l.events
FROM logged l
WHERE l.events > 1
UNION ALL
SELECT
    'refused, and yet in the log',
    l.aggregate, NULL, NULL, l.key, 0, l.events
FROM asked a
JOIN logged l ON l.principal = a.principal AND l.key = a.key
WHERE NOT a.is_accepted AND NOT a.is_open
UNION ALL
SELECT
    'the log has another event than was answered',
    o.aggregate, o.version, o.event_id, o.key, o.version, e.version
FROM ops o
JOIN events e ON e.principal = o.principal AND e.key = o.key
WHERE o.kind = 'command'
    AND o.outcome = 'ok'
    AND (
        e.event_id IS DISTINCT FROM o.event_id
        OR e.aggregate IS DISTINCT FROM o.aggregate
        OR e.version IS DISTINCT FROM o.version
    )
UNION ALL
SELECT
    'the event does not do what was asked',
    e.aggregate, e.version, e.event_id, e.key, NULL, NULL
FROM events e
WHERE EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
            AND o.effect_digest IS NOT NULL AND o.outcome <> 'fail'
    )
    AND NOT EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
            AND o.outcome <> 'fail'
            AND (o.effect_digest IS NULL OR o.effect_digest = e.effect_digest)
    )

--@ evidence
SELECT 'accepted commands' AS what, COUNT(*) AS seen, 1 AS needed
FROM ops
WHERE kind = 'command' AND outcome = 'ok'
