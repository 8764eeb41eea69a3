-- I3: no phantom
-- Whatever the read model shows comes from an event of the log, and every event of the log from
-- a command that this run sent.
--
-- needs: ops, events, heads, commands, accounts, lines, totals, writers
-- evidence: at least one event
-- reading: something is there that nobody asked for. An event whose recorder was killed may be
--   that of a call which was never written down: it is unknown, not a phantom.
-- example: a statement line without an event: account a1, version 99. A message with a version that
--   the log never had was projected all the same.

--@ violations
SELECT
    'an account at a version that the log does not have' AS what,
    a.aggregate, a.version, NULL AS event_id, NULL AS key, NULL AS expected, a.version AS found
FROM accounts a
WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.aggregate = a.aggregate AND e.version = a.version
)
UNION ALL
SELECT
    'a head at a version that the log does not have',
    h.aggregate, h.version, NULL, NULL, NULL, h.version
FROM heads h
WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.aggregate = h.aggregate AND e.version = h.version
)
UNION ALL
SELECT
    'totals of an owner without events',
    t.owner, NULL, NULL, NULL, 0, t.accounts
FROM totals t
WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.owner = t.owner)

--@ screen
-- Every event makes one statement line and one kept answer: a sum over each of those tables, of a
-- number for each row, is that over the events. Whose command an event is of, and whether that
-- process was killed, takes longer to see.
SELECT 'lines' AS what
WHERE (SELECT SUM(hash(hash(aggregate, version))) FROM lines)
    <> (SELECT COALESCE(SUM(hash(hash(aggregate, version))), 0) FROM events)
UNION ALL
SELECT 'commands'
WHERE (SELECT SUM(hash(hash(principal, key, event_id, aggregate, version))) FROM commands)
    <> (
        SELECT COALESCE(SUM(hash(hash(principal, key, event_id, aggregate, version))), 0)
        FROM events
    )
UNION ALL
SELECT 'events'
FROM events e
WHERE NOT EXISTS (
    SELECT 1 FROM ops o
    WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
)

--@ violations
SELECT
    'a statement line without an event' AS what,
    l.aggregate, l.version, NULL AS event_id, NULL AS key, NULL AS expected, NULL AS found
FROM lines l
WHERE NOT EXISTS (
    SELECT 1 FROM events e WHERE e.aggregate = l.aggregate AND e.version = l.version
)
UNION ALL
SELECT
    'a kept answer for an event that the log does not have',
    c.aggregate, c.version, c.event_id, c.key, NULL, NULL
FROM commands c
WHERE NOT EXISTS (
    SELECT 1 FROM events e
    WHERE e.principal = c.principal AND e.key = c.key AND e.event_id = c.event_id
        AND e.aggregate = c.aggregate AND e.version = c.version
)
UNION ALL
SELECT
    'an event that no command of this run asked for',
    e.aggregate, e.version, e.event_id, e.key, NULL, NULL
FROM events e
WHERE NOT EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
    )
    AND NOT EXISTS (
        -- A key begins with the name of the process that sent it.
        SELECT 1 FROM writers w
        WHERE NOT w.closed AND SUBSTR(e.key, 1, LENGTH(w.writer) + 1) = CONCAT(w.writer, '.')
    )

--@ unknown
SELECT 'the recorder of its command was killed' AS what, e.aggregate
FROM events e
WHERE NOT EXISTS (
        SELECT 1 FROM ops o
        WHERE o.kind = 'command' AND o.principal = e.principal AND o.key = e.key
    )
    AND EXISTS (
        SELECT 1 FROM writers w
        WHERE NOT w.closed AND SUBSTR(e.key, 1, LENGTH(w.writer) + 1) = CONCAT(w.writer, '.')
    )

--@ evidence
SELECT 'events' AS what, COUNT(*) AS seen, 1 AS needed FROM events
