-- I4: exactly once
-- An account's balance, the number of its statement lines and its owner's totals are the sums
-- over its distinct events, however often each was delivered.
--
-- needs: events, accounts, lines, totals, settings
-- evidence: at least one account of which every event is projected, and adds to a balance
-- reading: `expected` is the sum over the log, `found` what the read model holds. More than
--   expected is an event that counted twice, less is one that did not count.
-- example: the balance is not the sum of the events: account a1, version 2, expected 10, found 20.
--   The one deposit of 10 was delivered twice, and each delivery added it.

--@ violations
WITH counted AS (
    SELECT
        aggregate, version, event_id, amount,
        MIN(owner) AS owner, BOOL_OR(in_outbox OR projected_at_ms IS NULL) AS is_late
    FROM events
    GROUP BY aggregate, version, event_id, amount
),
summed AS (
    SELECT
        aggregate,
        MIN(owner) AS owner,
        SUM(amount) AS balance,
        COUNT(*) AS events,
        BOOL_OR(is_late) AS is_late
    FROM counted
    GROUP BY aggregate
),
owned AS (
    SELECT owner, SUM(balance) AS balance, COUNT(*) AS accounts, BOOL_OR(is_late) AS is_late
    FROM summed
    WHERE owner IS NOT NULL
    GROUP BY owner
),
written AS (
    SELECT aggregate, COUNT(*) AS line_count FROM lines GROUP BY aggregate
)
SELECT
    'the events of one account are of several owners' AS what,
    aggregate, MAX(version) AS version, NULL AS event_id, NULL AS key,
    1 AS expected, COUNT(DISTINCT owner) AS found
FROM events
GROUP BY aggregate
HAVING COUNT(DISTINCT owner) > 1
UNION ALL
SELECT
    'the balance is not the sum of the events',
    s.aggregate, a.version, NULL, NULL, s.balance, a.balance
FROM summed s
LEFT JOIN accounts a ON a.aggregate = s.aggregate
WHERE NOT s.is_late AND a.balance IS DISTINCT FROM s.balance
UNION ALL
SELECT
    'not one statement line for each event',
    s.aggregate, NULL, NULL, NULL, s.events, COALESCE(w.line_count, 0)
FROM summed s
LEFT JOIN written w ON w.aggregate = s.aggregate
WHERE NOT s.is_late AND COALESCE(w.line_count, 0) <> s.events
    AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)
UNION ALL
SELECT
    'the totals of the owner have another balance than the sum of the events',
    o.owner, NULL, NULL, NULL, o.balance, COALESCE(t.balance, 0)
FROM owned o
LEFT JOIN totals t ON t.owner = o.owner
WHERE NOT o.is_late AND (t.owner IS NULL OR t.balance <> o.balance)
UNION ALL
SELECT
    'the totals of the owner count other accounts than were opened',
    o.owner, NULL, NULL, NULL, o.accounts, COALESCE(t.accounts, 0)
FROM owned o
LEFT JOIN totals t ON t.owner = o.owner
WHERE NOT o.is_late AND (t.owner IS NULL OR t.accounts <> o.accounts)

--@ unknown
SELECT 'an event of it is not projected' AS what, e.aggregate
FROM events e
WHERE (e.in_outbox OR e.projected_at_ms IS NULL)
    AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1)

--@ evidence
SELECT 'accounts with every event projected' AS what, COUNT(*) AS seen, 1 AS needed
FROM (
    SELECT aggregate FROM events
    GROUP BY aggregate
    HAVING NOT BOOL_OR(in_outbox OR projected_at_ms IS NULL) AND COUNT(amount) > 0
) whole
