package plan

import (
	"cmp"
	"fmt"
	"strings"

	"fargo"
	"fargo/aws/protocol"
)

// MaxEnvironmentFiles is how many environment files the containers of a task definition
// may have together.
// Source: ECS developer guide, "Pass an environment variable to a container".
const MaxEnvironmentFiles = 10

// MaxEnvironmentFile is how many bytes of an environment file are read. The limit is ours,
// and no less than what a process can be given: a quarter of the usual limit of its stack.
const MaxEnvironmentFile = 2 << 20

// EnvironmentFileObject is the bucket and the key that the ARN of an environment file
// names: "arn:aws:s3:::bucket/key.env". ok is false when it is not the ARN of an object.
func EnvironmentFileObject(arn string) (bucket, key string, ok bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != "s3" || a.Region != "" || a.Account != "" {
		return "", "", false
	}
	bucket, key, ok = strings.Cut(a.Resource, "/")
	return bucket, key, ok && bucket != "" && key != ""
}

// ParseEnvironmentFile gives the variables in an environment file, as "NAME=value", sorted
// by where they are first. Of a name that comes again the last line counts. What is no
// variable is passed over: a line that begins with "#", has no "=", or no name. Values are
// taken as they are, with blanks and quotes; a carriage return at the end of a line is none
// of it. Variables without a value are left out, as Fargate does.
// Source: amazon-ecs-agent, envfile.go; ECS developer guide, "Pass an environment variable
// to a container".
func ParseEnvironmentFile(text string) []string {
	var names []string
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := environmentLine(line)
		if !ok {
			continue
		}
		if _, again := values[name]; !again {
			names = append(names, name)
		}
		values[name] = value
	}
	all := []string{}
	for _, name := range names {
		if value := values[name]; value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

func environmentLine(line string) (name, value string, ok bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if strings.HasPrefix(line, "#") {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return name, value, ok && name != ""
}

// The reasons why a task whose environment files cannot be had has stopped.
// Source: ECS developer guide, "Troubleshooting Amazon ECS ResourceInitializationError
// errors".
const (
	noEnvironmentFile          = "ResourceInitializationError: failed to download env files: "
	environmentFileUnreachable = noEnvironmentFile + "The task can't download the environment variable files from Amazon S3. " +
		"There is a connection issue between the task and Amazon S3. Check your task network configuration."
)

// EnvironmentFileFailure is why a task has stopped to whose call S3 has answered with an
// error, in Fargate's words.
func EnvironmentFileFailure(operation string, e *protocol.Error) string {
	return fmt.Sprintf("%soperation error S3: %s, https response error StatusCode: %d, api error %s: %s",
		noEnvironmentFile+retried, operation, cmp.Or(e.Status, 400), e.Code, e.Message)
}

// EnvironmentFileTooLarge is why a task has stopped with a file of more than
// [MaxEnvironmentFile] bytes. The words are ours.
func EnvironmentFileTooLarge(arn string, size int64) string {
	return fmt.Sprintf("%s%s has %d bytes, more than %d", noEnvironmentFile, arn, size, MaxEnvironmentFile)
}
