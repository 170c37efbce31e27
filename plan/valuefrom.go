package plan

import (
	"errors"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
)

// ValueFrom is where a value that a container is given comes from: a secret of Secrets
// Manager or a parameter of Parameter Store. One of SecretID and Parameter is set.
type ValueFrom struct {
	// SecretID is the secret's ARN, perhaps without the suffix that AWS has put to the
	// name, or, for a registry's credentials, its name.
	SecretID string
	// JSONKey names the member of the secret that is meant, Stage and VersionID its
	// version. Empty mean the whole secret, the current version and any.
	JSONKey, Stage, VersionID string
	// Parameter is the parameter's name or ARN, perhaps with ":<version>" or ":<label>".
	Parameter string
}

// errSecretARN is the ECS agent's text.
var errSecretARN = errors.New("an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.") //nolint:staticcheck // AWS's

// ParseValueFrom takes apart the valueFrom of a container's secret. The ARN of a secret
// has nothing after its name, or a JSON key, a staging label and a version id, each of
// which may be empty; what is not one names a parameter. The error has AWS's text.
// Source: ECS API, Secret; amazon-ecs-agent, taskresource/asmsecret.
func ParseValueFrom(s string) (ValueFrom, error) {
	arn, ok := fargo.ParseARN(s)
	if !ok || arn.Service != "secretsmanager" {
		return ValueFrom{Parameter: s}, nil
	}
	parts := strings.Split(arn.Resource, ":") // "secret", the name
	switch len(parts) {
	case 2:
		return ValueFrom{SecretID: s}, nil
	case 5:
		extra := strings.Join(parts[2:], ":")
		return ValueFrom{
			SecretID: strings.TrimSuffix(s, ":"+extra),
			JSONKey:  parts[2], Stage: parts[3], VersionID: parts[4],
		}, nil
	}
	return ValueFrom{}, errSecretARN
}

// TaskSecret is one of the values that tasks of a definition are given.
type TaskSecret struct {
	From string // as the definition says it
	// Registry says that it is the user name and password of a registry, File that it is
	// the variables of an environment file.
	Registry, File bool
}

// TaskSecrets are all the values that a task of a definition is given, each once. The
// place of one in it is part of its [fargo/desired.SecretID]: it never changes, as the
// definition and what the task has in place of parts of it do not.
func TaskSecrets(d *ecs.TaskDefinition, o *ecs.TaskOverride) (all []TaskSecret) {
	for _, c := range d.ContainerDefinitions {
		c = Overridden(c, o)
		for _, s := range secretsOf(&c) {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// secretsOf are the values that one container is given.
func secretsOf(c *ecs.ContainerDefinition) (all []TaskSecret) {
	if r := c.RepositoryCredentials; r != nil {
		all = append(all, TaskSecret{From: aws.Value(r.CredentialsParameter), Registry: true})
	}
	for _, s := range c.Secrets {
		all = append(all, TaskSecret{From: aws.Value(s.ValueFrom)})
	}
	for _, f := range c.EnvironmentFiles {
		all = append(all, TaskSecret{From: aws.Value(f.Value), File: true})
	}
	if l := c.LogConfiguration; l != nil {
		for _, s := range l.SecretOptions { // the log router is given them
			all = append(all, TaskSecret{From: aws.Value(s.ValueFrom)})
		}
	}
	return all
}
