-- I1: durable accept
-- What the API accepted is in the log exactly once, and does what was asked; what it refused is
-- not in the log; what ended without an answer is there once or not at all. A key that is used
-- again a day after its event is a new command.
--
-- needs: ops, events, writers
-- evidence: at least one command that was accepted
-- reading: `key` is the idempotency key whose command and event do not agree. Look at its ops
--   first: an acknowledged command that is not in the log is data loss. A command whose recorder
--   was killed may have been accepted by a call that was never written down: it is unknown.
-- example: accepted, and not in the log: account a1, key r.w1.c2.7, expected 1, found 0. The
--   deposit was answered with 202, and there is no event of it: it is lost.

--@ screen
-- All that is known of a key beside one another: in what is accepted, every answer and the event
-- say the same; what has no answer has one such event, or none; what is refused has none.
SELECT key
FROM (
    SELECT
        hash(principal, key) AS key,
        COUNT(*) FILTER (outcome = 'ok') AS accepted,
        COUNT(*) FILTER (outcome IS NOT NULL AND outcome NOT IN ('ok', 'fail')) AS unanswered,
        COUNT(*) FILTER (outcome IS NULL) AS events,
        MIN(told) AS least_told, MAX(told) AS most_told,
        MIN(effect_digest) AS least_effect, MAX(effect_digest) AS most_effect
    FROM (
        SELECT
            principal, key, outcome,
            CASE WHEN outcome = 'ok' THEN hash(event_id, aggregate, version) END AS told,
            CASE WHEN outcome <> 'fail' THEN effect_digest END AS effect_digest
        FROM ops
        WHERE kind = 'command'
        UNION ALL
        SELECT principal, key, NULL, hash(event_id, aggregate, version), effect_digest
        FROM events
    )
    GROUP BY hash(principal, key)
)
WHERE events > 1 OR least_told <> most_told OR least_effect <> most_effect
    OR (accepted > 0 AND events = 0)
    OR (accepted = 0 AND unanswered = 0 AND events > 0)

--@ violations
WITH killed AS (
    SELECT DISTINCT writer FROM writers WHERE NOT closed
),
several AS (
    -- Of keys with several events, those within a day: later the key was free again.
    SELECT principal, key, COUNT(*) AS events, MIN(aggregate) AS aggregate
    FROM (
        SELECT DISTINCT principal, key, aggregate, version, event_id
        FROM (
            SELECT
                e.principal, e.key, e.aggregate, e.version, e.event_id, e.recorded_at_ms,
                MIN(e.recorded_at_ms) OVER (PARTITION BY e.principal, e.key) AS first_ms
            FROM events e
            JOIN (
                SELECT principal, key FROM events GROUP BY principal, key HAVING COUNT(*) > 1
            ) again ON again.principal = e.principal AND again.key = e.key
        ) dated
        WHERE dated.recorded_at_ms - dated.first_ms < 86400000  -- a day
    ) within_a_day
    GROUP BY principal, key
),
refused AS (
    -- A command is all ops of one principal and key: some of these were accepted all the same.
    SELECT DISTINCT o.principal, o.key
    FROM ops o
    WHERE o.kind = 'command' AND o.outcome = 'fail'
)
SELECT
    'accepted, and not in the log' AS what,
    MIN(o.aggregate) AS aggregate, NULL AS version, NULL AS event_id, o.key,
    1 AS expected, 0 AS found
FROM ops o
WHERE o.kind = 'command' AND o.outcome = 'ok'
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.principal = o.principal AND e.key = o.key)
GROUP BY o.principal, o.key
UNION ALL
SELECT
    'one command, several events',
    s.aggregate, NULL, NULL, s.key, 1, s.events
FROM several s
WHERE s.events > 1
UNION ALL
SELECT
    'refused, and yet in the log',
    MIN(e.aggregate), NULL, NULL, e.key, 0, COUNT(*)
FROM refused r
JOIN events e ON e.principal = r.principal AND e.key = r.key
WHERE NOT EXISTS (
    SELECT 1 FROM ops o
    LEFT JOIN killed ON killed.writer = o.writer
    WHERE o.kind = 'command' AND o.principal = r.principal AND o.key = r.key
        AND (o.outcome <> 'fail' OR killed.writer IS NOT NULL)
)
GROUP BY e.principal, e.key
UNION ALL
SELECT
    'the log has another event than was answered',
    o.aggregate, o.version, o.event_id, o.key, NULL, NULL
FROM ops o
WHERE o.kind = 'command'
    AND o.outcome = 'ok'
    AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.principal = o.principal AND e.key = o.key
            AND e.event_id = o.event_id AND e.aggregate = o.aggregate AND e.version = o.version
    )
    AND EXISTS (SELECT 1 FROM events e WHERE e.principal = o.principal AND e.key = o.key)
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
FROM (
    SELECT DISTINCT principal, key FROM ops WHERE kind = 'command' AND outcome = 'info'
) a
JOIN events e ON e.principal = a.principal AND e.key = a.key
WHERE NOT EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
            AND (
                o.outcome = 'ok'
                OR (
                    o.outcome = 'info'
                    AND (o.effect_digest IS NULL OR o.effect_digest = e.effect_digest)
                )
            )
    )

--@ unknown
SELECT 'refused, in the log, and its recorder was killed' AS what, e.aggregate
FROM (
    SELECT DISTINCT o.principal, o.key
    FROM ops o
    JOIN writers w ON w.writer = o.writer
    WHERE o.kind = 'command' AND NOT w.closed
) cut
JOIN events e ON e.principal = cut.principal AND e.key = cut.key
WHERE NOT EXISTS (
    SELECT 1 FROM ops o
    WHERE o.kind = 'command' AND o.principal = cut.principal AND o.key = cut.key
        AND o.outcome <> 'fail'
)

--@ evidence
SELECT 'accepted commands' AS what, COUNT(*) AS seen, 1 AS needed
FROM ops
WHERE kind = 'command' AND outcome = 'ok'
