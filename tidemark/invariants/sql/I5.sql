-- I5: order
-- The versions of an account's log are 1, 2, 3 ... without a gap and without a repeat, and so are
-- those of its statement lines.
--
-- needs: events, lines
-- evidence: at least one event
-- reading: `version` is the one that comes twice, or the one whose predecessor is missing.
-- example: no event at the version before: account a1, version 4, event e9, key r.w1.c2.7, expected
--   3. Versions go from 2 to 4: what made version 3 is gone, or two writers did not see each other.

--@ screen
-- How many versions an account has says which they must be: one sum over them is compared.
WITH counted AS (
    SELECT place, aggregate, COUNT(*) AS versions, SUM(hash(version)) AS total
    FROM (
        SELECT 'events' AS place, aggregate, version FROM events
        UNION ALL
        SELECT 'lines', aggregate, version FROM lines
    )
    GROUP BY place, aggregate
)
SELECT c.aggregate
FROM counted c
JOIN (
    SELECT version, SUM(hash(version)) OVER (ORDER BY version) AS total
    FROM (SELECT UNNEST(RANGE(1, (SELECT MAX(versions) + 1 FROM counted))) AS version)
) whole ON whole.version = c.versions
WHERE whole.total <> c.total

--@ violations
SELECT
    'two events at one version' AS what,
    aggregate, version, MIN(event_id) AS event_id, NULL AS key, 1 AS expected, COUNT(*) AS found
FROM events
GROUP BY aggregate, version
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'no event at the version before',
    e.aggregate, e.version, e.event_id, e.key, e.version - 1, NULL
FROM events e
WHERE e.version <> 1 AND NOT EXISTS (
    SELECT 1 FROM events b WHERE b.aggregate = e.aggregate AND b.version = e.version - 1
)
UNION ALL
SELECT
    'two statement lines at one version',
    aggregate, version, NULL, NULL, 1, COUNT(*)
FROM lines
GROUP BY aggregate, version
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'no statement line at the version before',
    l.aggregate, l.version, NULL, NULL, l.version - 1, NULL
FROM lines l
WHERE l.version <> 1 AND NOT EXISTS (
    SELECT 1 FROM lines b WHERE b.aggregate = l.aggregate AND b.version = l.version - 1
)

--@ evidence
SELECT 'events' AS what, COUNT(*) AS seen, 1 AS needed FROM events
