-- I16: not vacuous
-- Every fault that was planned had its effect at least as often as planned. That each claimed
-- invariant saw the evidence it needs is the judge's own part of this one.
--
-- needs: planned_faults, faults
-- evidence: at least one planned fault
-- reading: `expected` is how often the fault was to strike, `found` how often it did. A run whose
--   faults did not strike proves nothing about them.
-- example: a planned fault did not strike as often as planned: key poison, expected 3, found 0. The
--   plan asked for three poisoned messages, and none was ever sent.

--@ violations
SELECT
    'a planned fault did not strike as often as planned' AS what,
    NULL AS aggregate, NULL AS version, NULL AS event_id, p.fault AS key,
    p.times AS expected, COALESCE(f.fired, 0) AS found
FROM planned_faults p
LEFT JOIN (SELECT fault, SUM(fired) AS fired FROM faults GROUP BY fault) f ON f.fault = p.fault
WHERE COALESCE(f.fired, 0) < p.times

--@ evidence
SELECT 'planned faults' AS what, COUNT(*) AS seen, 1 AS needed FROM planned_faults
