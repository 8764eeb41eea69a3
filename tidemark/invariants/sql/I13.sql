-- I13: conservation
-- Every message that the update processor was given has one outcome: applied, duplicate or
-- failed. Every projected event was applied by one delivery, or healed by one. A delivery that
-- may have had its effect although it failed loosens that to at most one; so does an invocation
-- that never ended, for the accounts of its messages as far as other deliveries tell them.
--
-- needs: events, deliveries, healed, invocations, settings
-- evidence: at least one delivery
-- reading: `found` is how many deliveries say that they projected the event. More than one, and
--   the read model counted it twice, or the log lies.
-- example: projected several times, by the log of the processor: account a1, version 2, expected 1,
--   found 2. Two deliveries of one event both say that they applied it.

--@ violations
SELECT
    'an outcome of an event that the log does not have so' AS what,
    d.aggregate, d.version, d.event_id, d.message_id AS key, 1 AS expected, d.attempts AS found
FROM deliveries d
LEFT JOIN events e
    ON e.aggregate = d.aggregate AND e.version = d.version AND e.event_id = d.event_id
WHERE d.outcome <> 'failed'
    AND (d.outcome NOT IN ('applied', 'duplicate') OR d.attempts < 1 OR e.version IS NULL)
UNION ALL
SELECT
    'healed by a delivery that is not of a later version of the account',
    h.aggregate, h.version, NULL, h.message_id, NULL, NULL
FROM healed h
WHERE NOT EXISTS (
    SELECT 1 FROM deliveries d
    WHERE d.request_id = h.request_id AND d.message_id = h.message_id
        AND d.aggregate = h.aggregate AND d.version > h.version
)

--@ screen
-- What is there once on either side has the same sum there, over a number for each row.
SELECT 'messages' AS what
FROM (
    SELECT hash(hash(request_id, message_id)) AS message, 1 AS side FROM invocations WHERE ended
    UNION ALL
    SELECT hash(hash(request_id, message_id)), -1 FROM deliveries
)
HAVING COALESCE(SUM(side * message::HUGEINT), 0) <> 0
UNION ALL
SELECT 'a message twice'
FROM deliveries
GROUP BY hash(request_id, message_id)
HAVING COUNT(*) > 1
UNION ALL
SELECT 'projections'
FROM (
    SELECT hash(hash(aggregate, version)) AS projection, 1 AS side
    FROM events
    WHERE projected_at_ms IS NOT NULL
    UNION ALL
    SELECT hash(hash(aggregate, version)), -1 FROM deliveries WHERE outcome = 'applied'
    UNION ALL
    SELECT hash(hash(aggregate, version)), -1 FROM healed
)
HAVING COALESCE(SUM(side * projection::HUGEINT), 0) <> 0
UNION ALL
SELECT 'an event twice'
FROM events
GROUP BY hash(aggregate, version)
HAVING COUNT(*) > 1

--@ violations
WITH outcomes AS (
    SELECT request_id, message_id, COUNT(*) AS outcomes, MIN(aggregate) AS aggregate
    FROM deliveries
    GROUP BY request_id, message_id
),
unended AS (
    SELECT i.message_id, d.aggregate, d.version, d.message_id IS NOT NULL AS is_known
    FROM invocations i
    LEFT JOIN deliveries d ON d.message_id = i.message_id
    WHERE NOT i.ended
),
projecting AS (
    SELECT aggregate, version, request_id FROM deliveries WHERE outcome = 'applied'
    UNION ALL
    SELECT aggregate, version, request_id FROM healed
),
projections AS (
    SELECT aggregate, version, COUNT(*) AS times FROM projecting GROUP BY aggregate, version
)
SELECT
    'a delivery with several outcomes' AS what,
    o.aggregate, NULL AS version, NULL AS event_id, o.message_id AS key,
    1 AS expected, o.outcomes AS found
FROM outcomes o
WHERE o.outcomes > 1
UNION ALL
SELECT
    'a message without an outcome, in an invocation that ended',
    NULL, NULL, NULL, i.message_id, 1, 0
FROM invocations i
WHERE i.ended AND NOT EXISTS (
    SELECT 1 FROM outcomes o WHERE o.request_id = i.request_id AND o.message_id = i.message_id
)
UNION ALL
SELECT
    'an outcome of a message that no invocation was given',
    o.aggregate, NULL, NULL, o.message_id, 1, 0
FROM outcomes o
WHERE NOT EXISTS (
    SELECT 1 FROM invocations i
    WHERE i.request_id = o.request_id AND i.message_id = o.message_id
)
UNION ALL
SELECT
    'projected several times, by the log of the processor',
    p.aggregate, p.version, NULL, NULL, 1, p.times
FROM projections p
WHERE p.times > 1
UNION ALL
SELECT
    'said to be projected, and not by the log',
    p.aggregate, p.version, NULL, NULL, 0, p.times
FROM projections p
WHERE NOT EXISTS (
    SELECT 1 FROM events e
    WHERE e.aggregate = p.aggregate AND e.version = p.version AND e.projected_at_ms IS NOT NULL
)
UNION ALL
SELECT
    'projected, and no delivery says so',
    e.aggregate, e.version, e.event_id, e.key, 1, 0
FROM events e
WHERE e.projected_at_ms IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM projections p WHERE p.aggregate = e.aggregate AND p.version = e.version
    )
    AND NOT EXISTS (
        SELECT 1 FROM deliveries d
        WHERE d.ambiguous AND d.aggregate = e.aggregate AND d.version >= e.version
    )
    AND NOT EXISTS (
        SELECT 1 FROM unended u WHERE u.aggregate = e.aggregate AND u.version >= e.version
    )
    AND NOT EXISTS (SELECT 1 FROM unended u WHERE NOT u.is_known)
    AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)

--@ evidence
SELECT 'deliveries' AS what, COUNT(*) AS seen, 1 AS needed FROM deliveries
UNION ALL
SELECT 'invocations that never ended', COUNT(DISTINCT request_id), 0
FROM invocations
WHERE NOT ended
