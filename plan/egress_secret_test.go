package plan

import (
	"slices"
	"testing"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// Without a way to the services that have its secrets a task stops on Fargate, before its
// images are asked for.
func TestSecretsOutOfReach(t *testing.T) {
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	c := ecs.ContainerDefinition{
		Name: new("app"), Image: new("nginx"), RepositoryCredentials: &ecs.RepositoryCredentials{CredentialsParameter: new("login")},
		Secrets: []ecs.Secret{
			{Name: new("A"), ValueFrom: new(secretARN + ":k::")},
			{Name: new("B"), ValueFrom: new("/b")},
			{Name: new("C"), ValueFrom: new(secretARN + ":k")},
			{Name: new("D"), ValueFrom: new("arn:aws:ssm:eu-west-1:123456789012:parameter/d")},
		},
		EnvironmentFiles: []ecs.EnvironmentFile{{Value: new("arn:aws:s3:::b/a.env")}},
	}
	unreachable := func(endpoints ...string) (all []Unreachable) {
		v := NetworkView{
			VPCs:        []*record.EC2VPC{{Scope: scope, VPC: ec2.Vpc{VpcId: new("vpc-1")}}},
			Subnets:     []*record.EC2Subnet{{Scope: scope, Subnet: ec2.Subnet{SubnetId: new("subnet-1"), VpcId: new("vpc-1"), CidrBlock: new("10.0.0.0/24")}}},
			RouteTables: []*record.EC2RouteTable{{Scope: scope, RouteTable: ec2.RouteTable{RouteTableId: new("rtb-1"), VpcId: new("vpc-1"), Associations: []ec2.RouteTableAssociation{{Main: new(true)}}}}},
		}
		for _, name := range endpoints {
			v.Endpoints = append(v.Endpoints, &record.EC2VPCEndpoint{Scope: scope, Endpoint: ec2.VpcEndpoint{
				VpcEndpointId: new("vpce-" + name), VpcId: new("vpc-1"), State: EndpointAvailable, PrivateDnsEnabled: new(true),
				VpcEndpointType: ec2.VpcEndpointTypeInterface, ServiceName: new("com.amazonaws.us-east-1." + name),
			}})
		}
		return UnreachableFrom(v, &record.Task{Scope: scope}, &ecs.TaskDefinition{ContainerDefinitions: []ecs.ContainerDefinition{c}}, &desired.Interface{Subnet: "subnet-1"}, false)
	}
	hosts := func(all []Unreachable) (names []string) {
		for _, u := range all {
			names = append(names, u.Host)
		}
		return names
	}
	got := unreachable()
	if want := []string{"secretsmanager.us-east-1.amazonaws.com", "ssm.us-east-1.amazonaws.com", "ssm.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "registry-1.docker.io"}; !slices.Equal(hosts(got), want) {
		t.Fatalf("%q, want %q", hosts(got), want)
	}
	const p = "ResourceInitializationError: unable to pull secrets or registry auth: "
	for i, want := range map[int]string{
		0: p + "unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration. " +
			"failed to fetch secret login from secrets manager: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded",
		1: p + "unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store. Check your task network configuration. " +
			"operation error SSM: GetParameters, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded",
		3: "ResourceInitializationError: failed to download env files: The task can't download the environment variable files from Amazon S3. " +
			"There is a connection issue between the task and Amazon S3. Check your task network configuration.",
	} {
		if got[i].Reason != want {
			t.Errorf("%s\nwant %s", got[i].Reason, want)
		}
	}
	if got, want := hosts(unreachable("secretsmanager", "ssm", "s3")), []string{"ssm.eu-west-1.amazonaws.com", "registry-1.docker.io"}; !slices.Equal(got, want) {
		t.Errorf("with endpoints %q, want %q", got, want)
	}
}
