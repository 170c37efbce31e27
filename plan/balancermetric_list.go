package plan

const (
	balancerAndZones  = ofBalancer | inZones
	groupAndZones     = ofGroup | inZones
	balancerAndGroups = ofBalancer | ofGroup | inZones
	groupsOfAll       = ofGroup | ofGroupAlone | inZones
)

// applicationMetrics are those of AWS/ApplicationELB. What they are of, when they are
// reported and which statistics say something is from the ALB user guide, "CloudWatch
// metrics for your Application Load Balancer", in its texts of 2023 and 2025; that
// RequestCount has samples of 1 follows from IPv6RequestCount, which is a part of it.
// Units are documented for none.
var applicationMetrics = []balancerMetric{
	{"ActiveConnectionCount", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ClientTLSNegotiationErrorCount", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ConsumedLCUs", "None", ofBalancer, balancerPeriod.applicationUnits},
	{"DesyncMitigationMode_NonCompliant_Request_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"DroppedInvalidHeaderRequestCount", "Count", balancerAndZones, balancerPeriod.always},
	{"ForwardedInvalidHeaderRequestCount", "Count", balancerAndZones, balancerPeriod.always},
	{"GrpcRequestCount", "Count", balancerAndZones, balancerPeriod.ones},
	{"HTTP_Fixed_Response_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTP_Redirect_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTP_Redirect_Url_Limit_Exceeded_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTPCode_ELB_3XX_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTPCode_ELB_4XX_Count", "Count", balancerAndZones, balancerPeriod.ones},
	{"HTTPCode_ELB_5XX_Count", "Count", balancerAndZones, balancerPeriod.ones},
	{"HTTPCode_ELB_500_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTPCode_ELB_502_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTPCode_ELB_503_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"HTTPCode_ELB_504_Count", "Count", balancerAndZones, balancerPeriod.perNode},
	{"IPv6ProcessedBytes", "Bytes", balancerAndZones, balancerPeriod.perNode},
	{"IPv6RequestCount", "Count", balancerAndZones, balancerPeriod.ones},
	{"NewConnectionCount", "Count", balancerAndZones, balancerPeriod.perNode},
	{"NonStickyRequestCount", "Count", balancerAndZones, balancerPeriod.whenTold},
	{"ProcessedBytes", "Bytes", balancerAndZones, balancerPeriod.perNode},
	{"RequestCount", "Count", balancerAndGroups, balancerPeriod.onesOrZero},
	{"RuleEvaluations", "Count", balancerAndZones, balancerPeriod.perNode},

	{"HealthyHostCount", "Count", groupAndZones, balancerPeriod.whenTold},
	{"HTTPCode_Target_2XX_Count", "Count", balancerAndGroups, balancerPeriod.ones},
	{"HTTPCode_Target_3XX_Count", "Count", balancerAndGroups, balancerPeriod.ones},
	{"HTTPCode_Target_4XX_Count", "Count", balancerAndGroups, balancerPeriod.ones},
	{"HTTPCode_Target_5XX_Count", "Count", balancerAndGroups, balancerPeriod.ones},
	{"RequestCountPerTarget", "None", groupsOfAll, balancerPeriod.perTarget},
	{"TargetConnectionErrorCount", "Count", balancerAndGroups, balancerPeriod.perNode},
	{"TargetResponseTime", "Seconds", balancerAndGroups, balancerPeriod.times},
	{"TargetTLSNegotiationErrorCount", "Count", balancerAndGroups, balancerPeriod.perNode},
	{"UnHealthyHostCount", "Count", groupAndZones, balancerPeriod.whenTold},

	{"HealthyStateDNS", "Count", groupAndZones, balancerPeriod.zones},
	{"HealthyStateRouting", "Count", groupAndZones, balancerPeriod.zones},
	{"UnhealthyRoutingRequestCount", "Count", groupAndZones, balancerPeriod.perNode},
	{"UnhealthyStateDNS", "Count", groupAndZones, balancerPeriod.zones},
	{"UnhealthyStateRouting", "Count", groupAndZones, balancerPeriod.zones},
}

// networkMetrics are those of AWS/NetworkELB. Source: NLB user guide, "CloudWatch metrics
// for your Network Load Balancer", in its texts of 2023 and 2025.
var networkMetrics = []balancerMetric{
	{"ActiveFlowCount", "Count", balancerAndZones, balancerPeriod.always},
	{"ActiveFlowCount_TCP", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ActiveFlowCount_TLS", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ActiveFlowCount_UDP", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ClientTLSNegotiationErrorCount", "Count", balancerAndZones, balancerPeriod.perNode},
	{"ConsumedLCUs", "None", ofBalancer, balancerPeriod.networkUnits},
	{"ConsumedLCUs_TCP", "None", ofBalancer, balancerPeriod.tcpUnits},
	{"ConsumedLCUs_TLS", "None", ofBalancer, balancerPeriod.tlsUnits},
	{"ConsumedLCUs_UDP", "None", ofBalancer, balancerPeriod.udpUnits},
	{"HealthyHostCount", "Count", groupAndZones, balancerPeriod.whenTold},
	{"NewFlowCount", "Count", balancerAndZones, balancerPeriod.always},
	{"NewFlowCount_TCP", "Count", balancerAndZones, balancerPeriod.perNode},
	{"NewFlowCount_TLS", "Count", balancerAndZones, balancerPeriod.perNode},
	{"NewFlowCount_UDP", "Count", balancerAndZones, balancerPeriod.perNode},
	{"PeakPacketsPerSecond", "Count/Second", balancerAndZones, balancerPeriod.perNode},
	{"PortAllocationErrorCount", "Count", balancerAndZones, balancerPeriod.always},
	{"ProcessedBytes", "Bytes", balancerAndZones, balancerPeriod.always},
	{"ProcessedBytes_TCP", "Bytes", balancerAndZones, balancerPeriod.perNode},
	{"ProcessedBytes_TLS", "Bytes", balancerAndZones, balancerPeriod.perNode},
	{"ProcessedBytes_UDP", "Bytes", balancerAndZones, balancerPeriod.perNode},
	{"ProcessedPackets", "Count", balancerAndZones, balancerPeriod.perNode},
	{"TargetTLSNegotiationErrorCount", "Count", balancerAndZones, balancerPeriod.perNode},
	{"TCP_Client_Reset_Count", "Count", balancerAndZones, balancerPeriod.always},
	{"TCP_ELB_Reset_Count", "Count", balancerAndZones, balancerPeriod.always},
	{"TCP_Target_Reset_Count", "Count", balancerAndZones, balancerPeriod.always},
	{"UnHealthyHostCount", "Count", groupAndZones, balancerPeriod.whenTold},
	{"UnhealthyRoutingFlowCount", "Count", balancerAndZones, balancerPeriod.perNode},
}
