-- I11: idempotent retry
-- Within the window of a day, every acceptance of an idempotency key is the same one, a retry of
-- an accepted command is accepted again, and another payload under its key, sent after the
-- acceptance was known, is refused as that. One answer is the first, all others say that they
-- repeat it; and it is kept for the next retry. That a command had its effect is known from its
-- answer, or from whoever saw the account at the version that it made.
--
-- needs: ops, events, commands, writers, settings
-- evidence: at least one key that was sent again after it was accepted
-- reading: `key` is the idempotency key whose answers do not agree.
-- example: one key, several events: account a1, version 3, event e9, key r.w1.c2.7, expected 1,
--   found 2. The answer was lost, the client sent the deposit again under its key, and it was done
--   a second time.

--@ violations
WITH repeated AS (
    -- Of a key that was sent once, and accepted, there is nothing to compare.
    SELECT principal, key
    FROM ops
    WHERE kind = 'command'
    GROUP BY principal, key
    HAVING COUNT(*) > 1 OR BOOL_OR(replayed) OR BOOL_OR(outcome = 'fail')
),
windowed AS (
    SELECT
        o.principal, o.key, o.payload_hash, o.effect_digest, o.aggregate, o.version, o.event_id,
        o.outcome, o.status, o.replayed, o.start_ns, o.end_ns,
        MIN(o.start_ns) OVER (PARTITION BY o.principal, o.key) AS first_ns
    FROM ops o
    JOIN repeated r ON r.principal = o.principal AND r.key = o.key
    WHERE o.kind = 'command'
),
sent AS (
    SELECT * FROM windowed WHERE end_ns - first_ns < 86400000000000  -- a day
),
accepted AS (
    SELECT
        principal,
        key,
        MIN(payload_hash) AS payload_hash,
        MIN(aggregate) AS aggregate,
        MIN(version) AS version,
        MIN(event_id) AS event_id,
        SUM(CASE WHEN replayed THEN 0 ELSE 1 END) AS firsts,
        MIN(end_ns) AS end_ns
    FROM sent
    WHERE outcome = 'ok'
    GROUP BY principal, key
),
told AS (
    SELECT principal, key, COUNT(*) AS answers
    FROM (
        SELECT DISTINCT principal, key, payload_hash, aggregate, version, event_id
        FROM sent
        WHERE outcome = 'ok'
    ) different
    GROUP BY principal, key
),
clocks AS (
    -- By how much two writers may differ about which of two ops came first.
    SELECT COALESCE(MAX(clock_error_ns), 0) * 2 AS error_ns FROM writers
)
SELECT
    'one key, several acceptances' AS what,
    a.aggregate, a.version, a.event_id, a.key, 1 AS expected, t.answers AS found
FROM accepted a
JOIN told t ON t.principal = a.principal AND t.key = a.key
WHERE t.answers > 1
UNION ALL
SELECT
    'one key, several events',
    MIN(e.aggregate), MIN(e.version), MIN(e.event_id), e.key, 1, COUNT(*)
FROM (
    SELECT DISTINCT principal, key, aggregate, version, event_id
    FROM (
        SELECT
            e.principal, e.key, e.aggregate, e.version, e.event_id, e.recorded_at_ms,
            MIN(e.recorded_at_ms) OVER (PARTITION BY e.principal, e.key) AS first_ms
        FROM events e
        JOIN (
            SELECT principal, key FROM events GROUP BY principal, key HAVING COUNT(*) > 1
        ) several ON several.principal = e.principal AND several.key = e.key
    ) logged
    WHERE recorded_at_ms - first_ms < 86400000  -- a day
) e
GROUP BY e.principal, e.key
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a retry of an accepted command was refused',
    a.aggregate, a.version, a.event_id, a.key, 202, s.status
FROM accepted a
CROSS JOIN clocks c
JOIN sent s ON s.principal = a.principal AND s.key = a.key AND s.payload_hash = a.payload_hash
-- 403 and 429 are the gateway's: nobody looked at the key.
WHERE s.outcome = 'fail' AND s.status IS NOT NULL AND s.status NOT IN (403, 429)
    AND s.start_ns > a.end_ns + c.error_ns
UNION ALL
SELECT
    'a command that had had its effect was refused',
    e.aggregate, e.version, e.event_id, e.key, 202, s.status
FROM sent s
CROSS JOIN clocks c
JOIN events e ON e.principal = s.principal AND e.key = s.key
    AND e.effect_digest = s.effect_digest
WHERE s.outcome = 'fail' AND s.status IS NOT NULL AND s.status NOT IN (403, 429)
    AND EXISTS (
        SELECT 1 FROM ops o
        WHERE o.aggregate = e.aggregate AND o.outcome = 'ok' AND o.version >= e.version
            AND o.end_ns + c.error_ns < s.start_ns
    )
UNION ALL
SELECT
    'another payload under the key of an accepted command was not refused as that',
    a.aggregate, a.version, a.event_id, a.key, 422, s.status
FROM accepted a
CROSS JOIN clocks c
JOIN sent s ON s.principal = a.principal AND s.key = a.key AND s.payload_hash <> a.payload_hash
WHERE s.start_ns > a.end_ns + c.error_ns
    AND s.status IS NOT NULL AND s.status < 500 AND s.status NOT IN (400, 403, 422, 429)
UNION ALL
SELECT
    'one key, several answers that say they are the first',
    a.aggregate, a.version, a.event_id, a.key, 1, a.firsts
FROM accepted a
WHERE a.firsts > 1
UNION ALL
SELECT
    'an answer repeats one that nobody can have been given',
    s.aggregate, s.version, s.event_id, s.key, NULL, NULL
FROM sent s
CROSS JOIN clocks c
WHERE s.replayed
    AND NOT EXISTS (
        SELECT 1 FROM sent b
        WHERE b.principal = s.principal AND b.key = s.key
            AND b.start_ns < s.end_ns + c.error_ns
            AND NOT b.replayed AND b.outcome <> 'fail'
    )
    AND NOT EXISTS (SELECT 1 FROM writers w WHERE NOT w.closed)
UNION ALL
SELECT
    'the answer is not kept',
    e.aggregate, e.version, e.event_id, e.key, 1, 0
FROM events e
CROSS JOIN (SELECT MAX(recorded_at_ms) AS newest_ms FROM events) run
WHERE run.newest_ms - e.recorded_at_ms < 72000000  -- 20 hours: it is kept for 24, then goes
    AND NOT EXISTS (
        SELECT 1 FROM commands c WHERE c.principal = e.principal AND c.key = e.key
    )
    AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)

--@ evidence
SELECT 'keys that were sent again after they were accepted' AS what, COUNT(*) AS seen, 1 AS needed
FROM (
    SELECT principal, key
    FROM ops
    WHERE kind = 'command'
    GROUP BY principal, key
    HAVING MAX(start_ns) > MIN(CASE WHEN outcome = 'ok' THEN end_ns END)
) again
UNION ALL
SELECT 'calls a day or more after the first of their key, left out', COUNT(*), 0
FROM ops o
WHERE o.kind = 'command'
    AND o.end_ns >= (SELECT MIN(start_ns) FROM ops) + 86400000000000  -- few runs last for a day
    AND EXISTS (
        SELECT 1 FROM ops f
        WHERE f.kind = 'command' AND f.principal = o.principal AND f.key = o.key
            AND o.end_ns - f.start_ns >= 86400000000000
    )
