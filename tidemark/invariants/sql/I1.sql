-- I1: durable accept
-- What the API accepted is in the log exactly once, and does what was asked; what it refused is
-- not in the log; what ended without an answer is there once or not at all. A key that is used
-- again a day after its event is a new command.
--
-- needs: ops, events, writers
-- by: command
-- evidence: at least one command that was accepted
-- reading: `key` is the idempotency key whose command and event do not agree. Look at its ops
--   first: an acknowledged command that is not in the log is data loss. A command whose recorder
--   was killed may have been accepted by a call that was never written down: it is unknown.
-- example: accepted, and not in the log: account a1, key r.w1.c2.7, expected 1, found 0. The
--   deposit was answered with 202, and there is no event of it: it is lost.

--@ violations
WITH asked AS (
    -- A command is all ops of one principal and key.
    SELECT
        o.principal,
        o.key,
        BOOL_OR(o.outcome = 'ok') AS is_accepted,
        BOOL_OR(o.outcome = 'info') AS is_open,
        BOOL_OR(killed.writer IS NOT NULL) AS is_cut,
        MIN(o.aggregate) AS aggregate
    FROM ops o
    LEFT JOIN (SELECT DISTINCT writer FROM writers WHERE NOT closed) killed
        ON killed.writer = o.writer
    WHERE o.kind = 'command'
    GROUP BY o.principal, o.key
),
logged AS (
    -- The events of a key, without those of a day later: the key was free again by then.
    SELECT principal, key, COUNT(*) AS events, MIN(aggregate) AS aggregate
    FROM (
        SELECT DISTINCT principal, key, aggregate, version, event_id
        FROM (
            SELECT
                principal, key, aggregate, version, event_id, recorded_at_ms,
                MIN(recorded_at_ms) OVER (PARTITION BY principal, key) AS first_ms
            FROM events
        ) e
        WHERE e.recorded_at_ms - e.first_ms < 86400000  -- a day
    ) within_a_day
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
WHERE NOT a.is_accepted AND NOT a.is_open AND NOT a.is_cut
UNION ALL
SELECT
    'the log has another event than was answered',
    o.aggregate, o.version, o.event_id, o.key, NULL, NULL
FROM ops o
JOIN logged l ON l.principal = o.principal AND l.key = o.key
WHERE o.kind = 'command'
    AND o.outcome = 'ok'
    AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.principal = o.principal AND e.key = o.key
            AND e.event_id = o.event_id AND e.aggregate = o.aggregate AND e.version = o.version
    )
UNION ALL
SELECT
    'the event does not do what was asked',
    e.aggregate, e.version, e.event_id, e.key, NULL, NULL
FROM ops o
JOIN events e ON e.principal = o.principal AND e.key = o.key AND e.event_id = o.event_id
WHERE o.kind = 'command' AND o.outcome = 'ok' AND o.effect_digest <> e.effect_digest
UNION ALL
SELECT
    'the event of a command without an answer does not do what was asked',
    e.aggregate, e.version, e.event_id, e.key, NULL, NULL
FROM events e
JOIN asked a ON a.principal = e.principal AND a.key = e.key
WHERE NOT a.is_accepted AND a.is_open
    AND NOT EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
            AND o.outcome = 'info'
            AND (o.effect_digest IS NULL OR o.effect_digest = e.effect_digest)
    )

--@ unknown
SELECT 'refused, in the log, and its recorder was killed' AS what, MIN(e.aggregate) AS aggregate
FROM ops o
JOIN events e ON e.principal = o.principal AND e.key = o.key
LEFT JOIN (SELECT DISTINCT writer FROM writers WHERE NOT closed) killed ON killed.writer = o.writer
WHERE o.kind = 'command'
GROUP BY o.principal, o.key
HAVING BOOL_AND(o.outcome = 'fail') AND BOOL_OR(killed.writer IS NOT NULL)

--@ evidence
SELECT 'accepted commands' AS what, COUNT(*) AS seen, 1 AS needed
FROM ops
WHERE kind = 'command' AND outcome = 'ok'
