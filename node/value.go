package node

import (
	"context"
	"encoding/json"
	"strings"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

// What becomes of a task whose secrets cannot be had. The texts are Fargate's.
// Source: ECS developer guide, "Troubleshooting Amazon ECS
// ResourceInitializationError errors".
const (
	noSecret   = "ResourceInitializationError: unable to pull secrets or registry auth: "
	noRegistry = noSecret + "The task cannot pull registry auth from Amazon ECR: " +
		"There is a connection issue between the task and Amazon ECR. Check your task network configuration."
	noRetrieval = noSecret + "execution resource retrieval failed: "
)

// value gets a secret of a task. It waits for the control plane, not for ever: the error
// is silent then, and a refusal that is not in ECS's words stands after refused.
func (n *Node) value(ctx context.Context, id desired.SecretID, silent, refused string) (secret.Text, error) {
	bounded, cancel := context.WithTimeout(ctx, planeTimeout)
	defer cancel()
	value, err := n.secrets.get(bounded, id)
	switch {
	case err == nil || ctx.Err() != nil:
		return value, err
	case bounded.Err() != nil:
		return value, &host.SecretError{Reason: silent}
	case ecsError.MatchString(err.Error()):
		return value, &host.SecretError{Reason: err.Error()}
	default:
		return value, &host.SecretError{Reason: refused + err.Error()}
	}
}

// login asks for what a registry wants to know when it is needed: an image that is on the
// machine needs none.
func (n *Node) login(src *desired.PullSource) host.Login {
	switch {
	case src.CredentialsID != "":
		return func(ctx context.Context) (string, secret.Text, error) { return n.credentials(ctx, src.CredentialsID) }
	case src.PasswordID != "":
		return func(ctx context.Context) (string, secret.Text, error) {
			password, err := n.value(ctx, src.PasswordID, noRegistry,
				noRetrieval+"unable to retrieve ecr registry auth: service call has been retried 1 time(s): ")
			return src.Username, password, err
		}
	}
	return nil
}

// credentials are a user's own for a registry.
func (n *Node) credentials(ctx context.Context, id desired.SecretID) (username string, password secret.Text, err error) {
	value, err := n.value(ctx, id, silentPlane, noRetrieval)
	if err != nil {
		return "", secret.Text{}, err
	}
	var c desired.RegistryCredentials
	if json.Unmarshal([]byte(value.Reveal()), &c) != nil { // the error would show it
		return "", secret.Text{}, &host.SecretError{Reason: noRetrieval + "the credentials of the registry cannot be read"}
	}
	return c.Username, c.Password.Text, nil
}

// silentPlane is ours: nothing that Fargate waits for is the like.
const silentPlane = noRetrieval + "the control plane did not answer in time"

// secretEnvironment are the variables of a container that are secrets, each once.
func (n *Node) secretEnvironment(ctx context.Context, c *desired.ContainerAssignment) (all []host.SecretVariable, err error) {
	for _, v := range c.Secrets {
		value, err := n.value(ctx, v.ValueID, silentPlane, noRetrieval)
		if err != nil {
			return nil, err
		}
		all = append(all, host.SecretVariable{Name: v.Name, Value: value})
	}
	known := namesOf(c)
	for _, id := range c.EnvironmentFiles {
		variables, err := n.variables(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, v := range variables {
			if name, value, _ := strings.Cut(v, "="); !known[name] {
				known[name] = true
				all = append(all, host.SecretVariable{Name: name, Value: secret.New(value)})
			}
		}
	}
	return all, nil
}

// namesOf are the variables that no environment file changes.
func namesOf(c *desired.ContainerAssignment) map[string]bool {
	names := map[string]bool{}
	for _, v := range c.Secrets {
		names[v.Name] = true
	}
	for _, v := range c.Environment {
		name, _, _ := strings.Cut(v, "=")
		names[name] = true
	}
	return names
}

// variables are those of an environment file.
func (n *Node) variables(ctx context.Context, id desired.SecretID) (all desired.Variables, err error) {
	value, err := n.value(ctx, id, silentPlane, noRetrieval)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal([]byte(value.Reveal()), &all) != nil { // the error would show it
		return nil, &host.SecretError{Reason: noRetrieval + "the variables of an environment file cannot be read"}
	}
	return all, nil
}
