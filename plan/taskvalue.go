package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"fargo/aws/protocol"
)

// The beginnings of Fargate's reasons why a task whose secrets cannot be had has stopped.
// Source: ECS developer guide, "Troubleshooting Amazon ECS
// ResourceInitializationError errors"; aws-samples/keycloak-on-aws, issue 222, for
// registries.
const (
	noTaskSecret   = "ResourceInitializationError: unable to pull secrets or registry auth: "
	noSecret       = noTaskSecret + "unable to retrieve secret from asm: "
	noSecretCall   = noTaskSecret + "execution resource retrieval failed: unable to retrieve secret from asm: " + retried
	noParameter    = noTaskSecret + "unable to retrieve secrets from ssm: "
	noParameters   = noTaskSecret + "execution resource retrieval failed: unable to retrieve secrets from ssm: " + retried
	noRegistryAuth = noTaskSecret + "execution resource retrieval failed: unable to get registry auth from asm: " + retried
	retried        = "service call has been retried 1 time(s): "
)

// TaskSecretFailure is why a task has stopped for which Secrets Manager has answered
// with an error, in Fargate's words. requestID is that of the call.
func TaskSecretFailure(s TaskSecret, secretID, requestID string, e *protocol.Error) string {
	failed := "operation error Secrets Manager: GetSecretValue, " + sdkError(requestID, e)
	switch {
	case s.Registry:
		return noRegistryAuth + "asm fetching secret from the service for " + secretID + ": " + failed
	case e.Code == "ResourceNotFoundException":
		return noSecret + "The task can't retrieve the secret with ARN '" + secretID +
			"' from Secrets Manager. Check whether the secret exists in the specified Region. " + fetching(secretID) + failed
	}
	return noSecretCall + fetching(secretID) + failed
}

func fetching(secretID string) string {
	return "failed to fetch secret " + secretID + " from secrets manager: "
}

// TaskParameterFailure is why a task has stopped for which Parameter Store has answered
// with an error.
func TaskParameterFailure(requestID string, e *protocol.Error) string {
	return noParameters + "operation error SSM: GetParameters, " + sdkError(requestID, e)
}

// TaskParametersMissing is why a task has stopped whose parameters are not all there.
// Source: amazon-ecs-agent, ssm.go.
func TaskParametersMissing(names []string) string {
	return noParameters + "invalid ssm parameters: " + strings.Join(names, ",")
}

// TaskSecretMalformed is why a task has stopped whose secrets are there, but not of the
// form that its definition says.
func TaskSecretMalformed(s TaskSecret, err error) string {
	if s.Registry {
		return noRegistryAuth + err.Error()
	}
	return noSecretCall + err.Error()
}

// What Fargate says when it does not reach the two services.
const (
	parameterUnreachable = noParameter + "The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store. " +
		"Check your task network configuration. operation error SSM: GetParameters, " + sdkTimeout
	sdkTimeout = "https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded"
)

func secretUnreachable(secretID string) string {
	return noSecret + "There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration. " +
		fetching(secretID) + "operation error Secrets Manager: GetSecretValue, " + sdkTimeout
}

// ErrBinarySecret is of a secret without a text. The words are ours.
// Source: ECS developer guide, "Pass Secrets Manager secrets through Amazon ECS
// environment variables": secrets that store binary data are not supported.
var ErrBinarySecret = errors.New("the secret stores binary data, which is not supported")

// modeled are the errors that the models of the two operations name: the SDK writes the
// others as "api error".
var modeled = map[string]bool{
	"ResourceNotFoundException": true, "InvalidParameterException": true, "InvalidRequestException": true,
	"DecryptionFailure": true, "InternalServiceError": true, "InvalidKeyId": true, "InternalServerError": true,
}

// sdkError is an error as the SDK for Go writes it.
func sdkError(requestID string, e *protocol.Error) string {
	kind := "api error "
	if modeled[e.Code] {
		kind = ""
	}
	status := e.Status
	if status == 0 {
		status = 400
	}
	return fmt.Sprintf("https response error StatusCode: %d, RequestID: %s, %s%s: %s", status, requestID, kind, e.Code, e.Message)
}

// JSONMember gives one member of a secret that is a JSON object: strings as they are, all
// else as the agent, which is a program in Go, prints it. An error of JSON shows at most
// one character, as on AWS.
// Source: amazon-ecs-agent, asm.go, GetSecretFromASMWithInput.
func JSONMember(value, key string) (string, error) {
	var members map[string]any
	if err := json.Unmarshal([]byte(value), &members); err != nil {
		return "", err
	}
	member, ok := members[key]
	if !ok {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", key)
	}
	return fmt.Sprint(member), nil
}

// RegistryLogin reads the user name and password of a registry from a secret.
// Source: amazon-ecs-agent, asm.go, extractASMValue.
func RegistryLogin(value string) (username, password string, err error) {
	var login struct{ Username, Password string }
	switch {
	case value == "":
		return "", "", errors.New("asm fetching authorization data: empty response")
	case json.Unmarshal([]byte(value), &login) != nil:
		return "", "", errors.New("asm fetching authorization data: unable to unmarshal secret value, invalid schema")
	case login.Username == "":
		return "", "", errors.New("asm fetching username: AuthorizationData is malformed, empty field")
	case login.Password == "":
		return "", "", errors.New("asm fetching password: AuthorizationData is malformed, empty field")
	}
	return login.Username, login.Password, nil
}
