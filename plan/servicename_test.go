package plan_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"fargo/plan"
)

// Clients find each service by the names that botocore 1.43 comes to with and without
// use_dualstack_endpoint and use_fips_endpoint, and the registry by its repositories'.
func TestServiceNames(t *testing.T) {
	certificate := func(region string) *x509.Certificate {
		return &x509.Certificate{DNSNames: plan.CertificateNames(region)}
	}
	for region, names := range map[string]string{
		"us-east-1": `acm.us-east-1.amazonaws.com acm-fips.us-east-1.amazonaws.com acm.us-east-1.api.aws acm-fips.us-east-1.api.aws
			ec2.us-east-1.amazonaws.com ec2-fips.us-east-1.amazonaws.com ec2.us-east-1.api.aws ec2-fips.us-east-1.api.aws ec2.amazonaws.com
			api.ecr.us-east-1.amazonaws.com ecr-fips.us-east-1.amazonaws.com ecr.us-east-1.api.aws ecr-fips.us-east-1.api.aws
			123456789012.dkr.ecr.us-east-1.amazonaws.com 123456789012.dkr-ecr.us-east-1.on.aws
			ecs.us-east-1.amazonaws.com ecs-fips.us-east-1.amazonaws.com ecs.us-east-1.api.aws ecs-fips.us-east-1.api.aws
			elasticloadbalancing.us-east-1.amazonaws.com elasticloadbalancing-fips.us-east-1.api.aws
			application-autoscaling.us-east-1.amazonaws.com application-autoscaling.us-east-1.api.aws
			monitoring.us-east-1.amazonaws.com monitoring-fips.us-east-1.amazonaws.com monitoring.us-east-1.api.aws
			iam.amazonaws.com iam-fips.amazonaws.com iam.global.api.aws sts.amazonaws.com
			logs.us-east-1.amazonaws.com logs-fips.us-east-1.amazonaws.com streaming-logs.us-east-1.amazonaws.com
			s3.us-east-1.amazonaws.com bucket.s3.us-east-1.amazonaws.com bucket.s3.amazonaws.com s3.dualstack.us-east-1.amazonaws.com s3-fips.us-east-1.amazonaws.com
			sts.us-east-1.amazonaws.com sts-fips.us-east-1.amazonaws.com sts.us-east-1.api.aws`,
		"eu-central-1": `api.ecr.eu-central-1.amazonaws.com ecr.eu-central-1.api.aws 123456789012.dkr.ecr.eu-central-1.amazonaws.com
			ecs.eu-central-1.amazonaws.com ecs.eu-central-1.api.aws logs.eu-central-1.amazonaws.com bucket.s3.eu-central-1.amazonaws.com sts.eu-central-1.amazonaws.com`,
	} {
		served := plan.ServiceNames(region)
		for _, n := range strings.Fields(names) {
			_, parent, _ := strings.Cut(n, ".")
			if !slices.Contains(served, n) && !slices.Contains(served, "*."+parent) {
				t.Errorf("%s in %s is not served", n, region)
			}
			if err := certificate(region).VerifyHostname(n); err != nil {
				t.Error(err)
			}
		}
	}
	for _, n := range []string{"iam.amazonaws.com", "sts.amazonaws.com", "ecs-fips.eu-central-1.amazonaws.com", "s3.amazonaws.com"} {
		if slices.Contains(plan.ServiceNames("eu-central-1"), n) {
			t.Errorf("%s is a name in eu-central-1", n)
		}
	}
	for _, n := range []string{
		"vpce-0123456789abcdef0-abcdefgh.ecs.eu-central-1.vpce.amazonaws.com",
		"vpce-0123456789abcdef0-abcdefgh-eu-central-1a.api.ecr.eu-central-1.vpce.amazonaws.com",
	} {
		if err := certificate("eu-central-1").VerifyHostname(n); err != nil {
			t.Error(err)
		}
	}
}
