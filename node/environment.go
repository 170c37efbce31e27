package node

import (
	"slices"

	"fargo/desired"
)

// metadataBase is where tasks ask about themselves: see package taskmetadata.
const metadataBase = "http://169.254.170.2"

// environment is that of container i of a task, later variables over earlier ones: what
// ECS says, the user's own, and at last where the container asks about itself, which the
// user cannot change.
// Source: ECS developer guide, "Amazon ECS environment variables"; of the order,
// amazon-ecs-agent.
func environment(t *Task, i int) []string {
	a := &t.Assignment
	env := []string{"AWS_EXECUTION_ENV=AWS_ECS_FARGATE"}
	if a.LaunchType == "EC2" {
		env = []string{"AWS_EXECUTION_ENV=AWS_ECS_EC2"}
	}
	if host := hostname(a); host != "" {
		env = append(env, "HOSTNAME="+host)
	}
	env = append(env, a.Containers[i].Environment...)
	if a.Interface == nil || !a.Interface.Address.IsValid() {
		return env // there is no way to ask
	}
	id := a.Containers[i].RuntimeID
	env = append(env,
		"ECS_CONTAINER_METADATA_URI="+metadataBase+"/v3/"+id,
		"ECS_CONTAINER_METADATA_URI_V4="+metadataBase+"/v4/"+id,
		"ECS_AGENT_URI="+metadataBase+"/api/"+id)
	if t.CredentialsID != "" {
		env = append(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/"+t.CredentialsID)
	}
	return env
}

// defaultEnvironment is what neither the image nor the user needs to set.
func (n *Node) defaultEnvironment(a *desired.Assignment) (env []string) {
	if r := region(a); r != "" {
		env = append(env, "AWS_REGION="+r, "AWS_DEFAULT_REGION="+r)
	}
	if a.Interface == nil {
		return env
	}
	if n.hasAuthority() {
		env = append(env, "AWS_CA_BUNDLE="+caBundlePath)
	}
	if url := n.platformURL(a.Interface); url != "" {
		env = append(env, "AWS_ENDPOINT_URL="+url)
	}
	return env
}

// platformURL is where containers with an interface reach Fargo's APIs; empty when they
// are not to be told, or cannot.
func (n *Node) platformURL(i *desired.Interface) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &n.mu.dataPlane
	vpc, known := w.vpcs[i.VPC]
	address, exists := desired.PlatformAddress(&vpc)
	if !known || !exists || !w.desired.Platform.InEnvironment || !i.Address.IsValid() {
		return ""
	}
	if s := slices.IndexFunc(vpc.Subnets, func(s desired.Subnet) bool { return s.ID == i.Subnet }); s >= 0 {
		switch vpc.Subnets[s].PlatformFor {
		case desired.PlatformForNone:
			return ""
		case desired.PlatformForPublic:
			if !i.Public.IsValid() {
				return ""
			}
		}
	}
	return "http://" + address.String()
}
