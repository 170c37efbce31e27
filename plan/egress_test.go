package plan

import (
	"slices"
	"strings"
	"testing"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// What Fargate could not have reached, by what a subnet has, and why it would have
// stopped the task.
// Sources of the texts: aws/copilot-cli, issue 5927 (registry auth); the ECS developer
// guide, "CannotPullContainer task errors"; doctorray117/minecraft-ondemand, issue 12 (log
// stream). The addresses are those that names have here, and a registry that is not AWS's
// has its name for one.
func TestUnreachableFrom(t *testing.T) {
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	ecr := "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	subnet := func(endpoints ...string) NetworkView {
		v := NetworkView{
			VPCs: []*record.EC2VPC{{Scope: scope, VPC: ec2.Vpc{
				VpcId: new("vpc-1"), CidrBlockAssociationSet: []ec2.VpcCidrBlockAssociation{{CidrBlock: new("10.0.0.0/16")}},
			}}},
			Subnets: []*record.EC2Subnet{{Scope: scope, Subnet: ec2.Subnet{SubnetId: new("subnet-1"), VpcId: new("vpc-1"), CidrBlock: new("10.0.0.0/24")}}},
		}
		table := ec2.RouteTable{RouteTableId: new("rtb-1"), VpcId: new("vpc-1"), Associations: []ec2.RouteTableAssociation{{Main: new(true)}}}
		for _, name := range endpoints {
			e := ec2.VpcEndpoint{
				VpcEndpointId: new("vpce-" + name), VpcId: new("vpc-1"), State: EndpointAvailable, PrivateDnsEnabled: new(true),
				VpcEndpointType: ec2.VpcEndpointTypeInterface, ServiceName: new("com.amazonaws.us-east-1." + name),
			}
			if name == "s3" {
				e.VpcEndpointType = ec2.VpcEndpointTypeGateway
				table.Routes = append(table.Routes, ec2.Route{GatewayId: e.VpcEndpointId, DestinationPrefixListId: new("pl-1")})
			}
			v.Endpoints = append(v.Endpoints, &record.EC2VPCEndpoint{Scope: scope, Endpoint: e})
		}
		v.RouteTables = []*record.EC2RouteTable{{Scope: scope, RouteTable: table}}
		return v
	}
	withInternet := func(v NetworkView) NetworkView {
		v.InternetGateways = []*record.EC2InternetGateway{{Scope: scope, Gateway: ec2.InternetGateway{
			InternetGatewayId: new("igw-1"), Attachments: []ec2.InternetGatewayAttachment{{VpcId: new("vpc-1"), State: ec2.AttachmentStatusAttached}},
		}}}
		r := &v.RouteTables[0].RouteTable
		r.Routes = append(r.Routes, ec2.Route{GatewayId: new("igw-1"), DestinationCidrBlock: new("0.0.0.0/0")})
		return v
	}
	const layers = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
	const logs = "logs.us-east-1.amazonaws.com"
	for name, test := range map[string]struct {
		view   NetworkView
		public bool
		image  string
		want   string // hosts
		reason string
	}{
		"isolated": {
			subnet(), false, ecr + "/app:v1", "api.ecr.us-east-1.amazonaws.com " + ecr + " " + layers + " " + logs,
			`ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 10.0.0.3:443: i/o timeout`,
		},
		"without dkr": {
			subnet("ecr.api", "s3", "logs"), false, ecr + "/app:v1", ecr,
			`CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ` + ecr + `/app:v1: failed to do request: Head "https://` + ecr + `/v2/app/manifests/v1": dial tcp 10.0.0.3:443: i/o timeout`,
		},
		"without s3": {
			subnet("ecr.api", "ecr.dkr", "logs"), false, ecr + "/app:v1", layers,
			`CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: failed to do request: Get "https://` + layers + `/": dial tcp ` + layers + `:443: i/o timeout`,
		},
		"without logs": {
			subnet("ecr.api", "ecr.dkr", "s3"), false, ecr + "/app:v1", logs,
			`ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: RequestError: send request failed caused by: Post "https://logs.us-east-1.amazonaws.com/": dial tcp 10.0.0.3:443: i/o timeout : exit status 1`,
		},
		"all endpoints":       {subnet("ecr.api", "ecr.dkr", "s3", "logs"), false, ecr + "/app:v1", "", ""},
		"public":              {withInternet(subnet()), true, "nginx", "", ""},
		"public, no address":  {withInternet(subnet("logs")), false, "nginx", "registry-1.docker.io", `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref nginx: failed to do request: Head "https://registry-1.docker.io/v2/library/nginx/manifests/latest": dial tcp registry-1.docker.io:443: i/o timeout`},
		"another registry":    {subnet("logs"), false, "ghcr.io/a/b:c", "ghcr.io", `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ghcr.io/a/b:c: failed to do request: Head "https://ghcr.io/v2/a/b/manifests/c": dial tcp ghcr.io:443: i/o timeout`},
		"a registry in it":    {subnet("logs"), false, "10.0.0.9:5000/b", "", ""},
		"a registry far away": {subnet("logs"), false, "192.0.2.1:5000/b@sha256:0", "192.0.2.1:5000", ""},
		"ECR of another region": {
			subnet("ecr.api", "ecr.dkr", "s3", "logs"), false, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app",
			"api.ecr.eu-west-1.amazonaws.com 123456789012.dkr.ecr.eu-west-1.amazonaws.com prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com", "",
		},
	} {
		c := ecs.ContainerDefinition{Name: new("app"), Image: &test.image, LogConfiguration: &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwslogs}}
		got := UnreachableFrom(test.view, &record.Task{Scope: scope, ID: "1"},
			&ecs.TaskDefinition{ContainerDefinitions: []ecs.ContainerDefinition{c, c}}, &desired.Interface{Subnet: "subnet-1"}, test.public)
		var hosts []string
		for _, u := range got {
			hosts = append(hosts, u.Host)
		}
		if !slices.Equal(hosts, strings.Fields(test.want)) {
			t.Errorf("%s: %q, want %q", name, hosts, test.want)
		} else if test.reason != "" && got[0].Reason != test.reason {
			t.Errorf("%s: %s\nwant %s", name, got[0].Reason, test.reason)
		}
	}
}
