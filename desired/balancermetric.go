package desired

// BillableRuleEvaluations is the one count of a BalancerMeasurement that CloudWatch has no
// name for: rules that were looked at, without the first ten of each request, as they are
// part of ConsumedLCUs. Source: Elastic Load Balancing pricing, "LCU details".
const BillableRuleEvaluations = "BillableRuleEvaluations"
