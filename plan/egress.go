package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// Unreachable is something that Fargate needs to prepare a task, and could not have
// reached from the task's subnet. Here the machine itself does that, so the task can run.
type Unreachable struct {
	Host string // "api.ecr.us-east-1.amazonaws.com"
	// Reason is why Fargate would have stopped the task, in its words.
	Reason string
}

// UnreachableFrom are the hosts that Fargate could not have reached to prepare a task of
// definition d in the subnet of its interface, in the order in which it would have come
// to them, each once: those of what it is given, of its images' registries, and of its logs. public says that
// the interface has a public address. Security groups and network ACLs are not asked.
// Source: ECS developer guide, "Fargate task networking"; ECR user guide, "Amazon ECR
// interface VPC endpoints", for what a pull needs.
func UnreachableFrom(v NetworkView, t *record.Task, d *ecs.TaskDefinition, i *desired.Interface, public bool) (missing []Unreachable) {
	e := egress{view: v, task: t, subnet: i.Subnet, public: public, address: platformAddress(v)}
	for _, step := range []func(*ecs.ContainerDefinition) []Unreachable{e.secrets, e.registryAuth, e.pull, e.logs} {
		for _, c := range d.ContainerDefinitions {
			c = Overridden(c, t.Intent.Overrides)
			for _, u := range step(&c) {
				if !slices.ContainsFunc(missing, func(m Unreachable) bool { return m.Host == u.Host }) {
					missing = append(missing, u)
				}
			}
		}
	}
	return missing
}

// egress is a place that something is to be reached from.
type egress struct {
	view    NetworkView
	task    *record.Task
	subnet  string
	public  bool
	address string // what names of AWS stand for in the VPC
}

func platformAddress(v NetworkView) string {
	for _, vpc := range v.VPCs {
		if a, ok := desired.PlatformAddress(&desired.VPC{CIDRs: vpc.CIDRs()}); ok {
			return a.String()
		}
	}
	return ""
}

// reaches reports whether a service of AWS in a region is reached: endpoints are for that
// of their own region.
func (e *egress) reaches(service, region string) bool {
	if region != e.task.Scope.Region {
		return ReachesInternet(e.view, e.subnet, e.public)
	}
	return ReachesService(e.view, e.subnet, e.public, service)
}

// secrets are where a container's values are, and its registry's credentials. Of a bucket
// only the name is known: it is taken to be in the task's region.
func (e *egress) secrets(c *ecs.ContainerDefinition) (missing []Unreachable) {
	for _, s := range secretsOf(c) {
		if s.File {
			missing = append(missing, e.service("s3", s.From, environmentFileUnreachable)...)
			continue
		}
		from := ValueFrom{SecretID: s.From}
		if !s.Registry {
			from, _ = ParseValueFrom(s.From) // what cannot be parsed is asked of nobody
		}
		switch {
		case from.Parameter != "":
			missing = append(missing, e.service("ssm", from.Parameter, parameterUnreachable)...)
		case from.SecretID != "":
			missing = append(missing, e.service("secretsmanager", from.SecretID, secretUnreachable(from.SecretID))...)
		}
	}
	return missing
}

// service is one of AWS's, in the region of an ARN or, for a name, the task's.
func (e *egress) service(name, id, reason string) []Unreachable {
	region := e.task.Scope.Region
	if a, ok := fargo.ParseARN(id); ok && a.Region != "" {
		region = a.Region
	}
	if e.reaches(name, region) {
		return nil
	}
	return []Unreachable{{name + "." + region + ".amazonaws.com", reason}}
}

// registryAuth is the password of a registry in ECR.
// Source: aws/copilot-cli, issue 5927.
func (e *egress) registryAuth(c *ecs.ContainerDefinition) []Unreachable {
	name, ours := fargo.ParseImageName(aws.Value(c.Image))
	if !ours || e.reaches("ecr.api", name.Scope().Region) {
		return nil
	}
	host := "api.ecr." + name.Scope().Region + ".amazonaws.com"
	return []Unreachable{{host, fmt.Sprintf("ResourceInitializationError: unable to pull secrets or registry auth: "+
		"The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. "+
		"Check your task network configuration. RequestError: send request failed caused by: Post \"https://%s/\": dial tcp %s:443: i/o timeout", host, e.address)}}
}

// pull is a registry, and where ECR keeps layers.
// Source: the texts of ECS developer guide, "CannotPullContainer task errors", and of its
// users' reports; a registry that is not AWS's stands by its name there, for it has no
// address here.
func (e *egress) pull(c *ecs.ContainerDefinition) (missing []Unreachable) {
	image := aws.Value(c.Image)
	name, ours := fargo.ParseImageName(image)
	if !ours {
		host, path, reference := registryOf(image)
		if e.reachesRegistry(host) {
			return nil
		}
		return []Unreachable{{host, unresolved(image, host, path, reference, host)}}
	}
	region := name.Scope().Region
	if !e.reaches("ecr.dkr", region) {
		missing = append(missing, Unreachable{name.Host, unresolved(image, name.Host, name.Repository, name.Reference, e.address)})
	}
	if !e.reaches("s3", region) {
		host := LayerBucket(region) + ".s3." + region + ".amazonaws.com"
		missing = append(missing, Unreachable{host, fmt.Sprintf("CannotPullContainerError: ref pull has been retried 1 time(s): "+
			"failed to copy: httpReaderSeeker: failed open: failed to do request: Get \"https://%s/\": dial tcp %s:443: i/o timeout", host, host)})
	}
	return missing
}

// unresolved is the text of an image whose registry does not answer.
func unresolved(image, host, path, reference, address string) string {
	return fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref %s: "+
		"failed to do request: Head \"https://%s/v2/%s/manifests/%s\": dial tcp %s:443: i/o timeout", image, host, path, reference, address)
}

func (e *egress) reachesRegistry(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	a, err := netip.ParseAddr(name)
	if err != nil {
		return ReachesInternet(e.view, e.subnet, e.public)
	}
	for _, vpc := range e.view.VPCs {
		if slices.ContainsFunc(vpc.CIDRs(), func(c netip.Prefix) bool { return c.Contains(a) }) {
			return true
		}
	}
	return WayOut(e.view, e.subnet, e.public, a)
}

// logs is where the awslogs driver sends output to.
// Source: doctorray117/minecraft-ondemand, issue 12, up to the log stream.
func (e *egress) logs(c *ecs.ContainerDefinition) []Unreachable {
	target := logTarget(e.task, c)
	if target == nil || e.reaches("logs", target.Region) {
		return nil
	}
	host := "logs." + target.Region + ".amazonaws.com"
	return []Unreachable{{host, fmt.Sprintf("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "+
		"failed to create Cloudwatch log stream: RequestError: send request failed caused by: Post \"https://%s/\": dial tcp %s:443: i/o timeout : exit status 1", host, e.address)}}
}

// registryOf takes apart an image's name whose registry is not ours.
// Source: distribution/reference, "Familiar names": Docker Hub's have no host.
func registryOf(image string) (host, path, reference string) {
	path, reference = image, "latest"
	if name, digest, ok := strings.Cut(path, "@"); ok {
		path, reference = name, digest
	}
	if at := strings.LastIndexByte(path, ':'); at > strings.LastIndexByte(path, '/') {
		if reference == "latest" {
			reference = path[at+1:]
		}
		path = path[:at]
	}
	first, rest, ok := strings.Cut(path, "/")
	switch {
	case ok && (strings.ContainsAny(first, ".:") || first == "localhost") && first != "docker.io":
		return first, rest, reference
	case first == "docker.io":
		path = rest
	}
	if !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return "registry-1.docker.io", path, reference
}
