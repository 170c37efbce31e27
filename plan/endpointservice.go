package plan

import "strings"

// EndpointService is a service of AWS that Fargo answers for, or that gateway endpoints
// lead to, with the names that it has inside VPCs.
type EndpointService struct {
	// API is the name of the service's package of wire types: "ecr". It is empty when
	// Fargo does not answer for the service.
	API string
	// Name is what an endpoint's service name ends in: "ecr.api" of
	// "com.amazonaws.us-east-1.ecr.api". It is empty when AWS has no endpoint for the
	// service.
	Name string
	// Gateway says that the endpoint is a gateway endpoint: routes, without interfaces.
	Gateway bool
	// Global says that the endpoint's service name has no region in it; there is such an
	// endpoint in [GlobalRegion] only.
	Global bool
	// Names are the names that clients call the service by, with "{region}" for the
	// region's. Private DNS of an interface endpoint makes them stand for its
	// interfaces. One that begins with "*." stands for every name with one label more.
	Names []string
	// Aliases are further names that clients call the service by, as Names has them, which
	// private DNS leaves alone; FIPS those of regions with FIPS endpoints; and Regionless
	// those that have no region in them and mean [GlobalRegion].
	Aliases, FIPS, Regionless []string
}

// GlobalRegion is where services without regions are.
const GlobalRegion = "us-east-1"

// EndpointServices are all there are. A service that Fargo begins to answer for gets its
// rows here.
// Sources: AWS PrivateLink guide, "AWS services that integrate with AWS PrivateLink", and
// the page on endpoints of each service's own guide; IAM user guide, "Create a VPC
// endpoint for IAM". AWS has an endpoint for ACM's operations on ACME only.
// Of aliases: botocore, endpoints.json and each service's endpoint rules; ECR user guide,
// "Making requests over IPv6", for dkr-ecr; CloudWatch Logs API, StartLiveTail.
var EndpointServices = []EndpointService{
	{
		API: "acm", Names: []string{"acm.{region}.amazonaws.com"},
		Aliases: []string{"acm.{region}.api.aws"},
		FIPS:    []string{"acm-fips.{region}.amazonaws.com", "acm-fips.{region}.api.aws"},
	},
	{
		API: "applicationautoscaling", Name: "application-autoscaling", Names: []string{"application-autoscaling.{region}.amazonaws.com"},
		Aliases: []string{"application-autoscaling.{region}.api.aws"},
		FIPS:    []string{"application-autoscaling-fips.{region}.amazonaws.com", "application-autoscaling-fips.{region}.api.aws"},
	},
	{
		API: "cloudwatch", Name: "monitoring", Names: []string{"monitoring.{region}.amazonaws.com"},
		Aliases: []string{"monitoring.{region}.api.aws"},
		FIPS:    []string{"monitoring-fips.{region}.amazonaws.com", "monitoring-fips.{region}.api.aws"},
	},
	{
		API: "ec2", Name: "ec2", Names: []string{"ec2.{region}.amazonaws.com"},
		Aliases:    []string{"ec2.{region}.api.aws"},
		FIPS:       []string{"ec2-fips.{region}.amazonaws.com", "ec2-fips.{region}.api.aws"},
		Regionless: []string{"ec2.amazonaws.com"},
	},
	{
		API: "ecr", Name: "ecr.api", Names: []string{"api.ecr.{region}.amazonaws.com"},
		Aliases: []string{"ecr.{region}.api.aws"},
		FIPS:    []string{"ecr-fips.{region}.amazonaws.com", "ecr-fips.{region}.api.aws"},
	},
	{
		API: "ecr", Name: "ecr.dkr", Names: []string{"*.dkr.ecr.{region}.amazonaws.com"},
		Aliases: []string{"*.dkr-ecr.{region}.on.aws"},
		FIPS:    []string{"*.dkr.ecr-fips.{region}.amazonaws.com"},
	},
	{
		API: "ecs", Name: "ecs", Names: []string{"ecs.{region}.amazonaws.com"},
		Aliases: []string{"ecs.{region}.api.aws"},
		FIPS:    []string{"ecs-fips.{region}.amazonaws.com", "ecs-fips.{region}.api.aws"},
	},
	{API: "ecs", Name: "ecs-agent", Names: []string{"ecs-a.{region}.amazonaws.com"}},
	{API: "ecs", Name: "ecs-telemetry", Names: []string{"ecs-t.{region}.amazonaws.com"}},
	{
		API: "efs", Name: "elasticfilesystem", Names: []string{"elasticfilesystem.{region}.amazonaws.com"},
		Aliases: []string{"elasticfilesystem.{region}.api.aws"},
		FIPS:    []string{"elasticfilesystem-fips.{region}.amazonaws.com", "elasticfilesystem-fips.{region}.api.aws"},
	},
	{
		API: "elbv2", Name: "elasticloadbalancing", Names: []string{"elasticloadbalancing.{region}.amazonaws.com"},
		Aliases: []string{"elasticloadbalancing.{region}.api.aws"},
		FIPS:    []string{"elasticloadbalancing-fips.{region}.amazonaws.com", "elasticloadbalancing-fips.{region}.api.aws"},
	},
	{
		API: "events", Name: "events", Names: []string{"events.{region}.amazonaws.com"},
		Aliases: []string{"events.{region}.api.aws"},
		FIPS:    []string{"events-fips.{region}.amazonaws.com", "events-fips.{region}.api.aws"},
	},
	{
		API: "iam", Name: "iam", Global: true, Names: []string{"iam.amazonaws.com"},
		Regionless: []string{"iam.global.api.aws", "iam-fips.amazonaws.com"},
	},
	{
		API: "kms", Name: "kms", Names: []string{"kms.{region}.amazonaws.com"},
		Aliases: []string{"kms.{region}.api.aws"},
		FIPS:    []string{"kms-fips.{region}.amazonaws.com", "kms-fips.{region}.api.aws"},
	},
	{
		API: "logs", Name: "logs", Names: []string{"logs.{region}.amazonaws.com"},
		Aliases: []string{"logs.{region}.api.aws", "streaming-logs.{region}.amazonaws.com"},
		FIPS:    []string{"logs-fips.{region}.amazonaws.com", "logs-fips.{region}.api.aws"},
	},
	{
		API: "secretsmanager", Name: "secretsmanager", Names: []string{"secretsmanager.{region}.amazonaws.com"},
		Aliases: []string{"secretsmanager.{region}.api.aws"},
		FIPS:    []string{"secretsmanager-fips.{region}.amazonaws.com", "secretsmanager-fips.{region}.api.aws"},
	},
	{
		API: "ssm", Name: "ssm", Names: []string{"ssm.{region}.amazonaws.com"},
		Aliases: []string{"ssm.{region}.api.aws"},
		FIPS:    []string{"ssm-fips.{region}.amazonaws.com", "ssm-fips.{region}.api.aws"},
	},
	{API: "ssm", Name: "ssmmessages", Names: []string{"ssmmessages.{region}.amazonaws.com"}},
	{
		API: "scheduler", Name: "scheduler", Names: []string{"scheduler.{region}.amazonaws.com"},
		Aliases: []string{"scheduler.{region}.api.aws"},
	},
	{
		// Which has gateway endpoints too, and interface endpoints that are not offered.
		API: "s3", Names: []string{"s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"},
		Aliases: []string{
			"s3-{region}.amazonaws.com", "*.s3-{region}.amazonaws.com", "s3.dualstack.{region}.amazonaws.com", "*.s3.dualstack.{region}.amazonaws.com",
		},
		FIPS: []string{
			"s3-fips.{region}.amazonaws.com", "*.s3-fips.{region}.amazonaws.com", "s3-fips.dualstack.{region}.amazonaws.com", "*.s3-fips.dualstack.{region}.amazonaws.com",
		},
		Regionless: []string{"s3.amazonaws.com", "*.s3.amazonaws.com"},
	},
	{
		API: "sts", Name: "sts", Names: []string{"sts.{region}.amazonaws.com"},
		Aliases:    []string{"sts.{region}.api.aws"},
		FIPS:       []string{"sts-fips.{region}.amazonaws.com", "sts-fips.{region}.api.aws"},
		Regionless: []string{"sts.amazonaws.com"},
	},

	{Name: "dynamodb", Gateway: true},
	{Name: "s3", Gateway: true},
}

// ServiceName is the name that an endpoint for the service has in a region; ok is false
// when there is none.
func (s *EndpointService) ServiceName(region string) (name string, ok bool) {
	switch {
	case s.Name == "", s.Global && region != GlobalRegion:
		return "", false
	case s.Global:
		return "com.amazonaws." + s.Name, true
	}
	return "com.amazonaws." + region + "." + s.Name, true
}

// NamesIn are the service's names in a region.
func (s *EndpointService) NamesIn(region string) []string {
	names := make([]string, len(s.Names))
	for i, n := range s.Names {
		names[i] = strings.ReplaceAll(n, "{region}", region)
	}
	return names
}

// EndpointServiceNamed finds a service by the name that its endpoints have in a region;
// nil when there is none.
func EndpointServiceNamed(name, region string) *EndpointService {
	for i := range EndpointServices {
		if n, ok := EndpointServices[i].ServiceName(region); ok && n == name {
			return &EndpointServices[i]
		}
	}
	return nil
}
