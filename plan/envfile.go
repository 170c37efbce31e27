package plan

import (
	"strings"

	"fargo"
)

// MaxEnvironmentFiles is how many environment files the containers of a task definition
// may have together.
// Source: ECS developer guide, "Pass an environment variable to a container".
const MaxEnvironmentFiles = 10

// EnvironmentFileObject is the bucket and the key that the ARN of an environment file
// names: "arn:aws:s3:::bucket/key.env".
func EnvironmentFileObject(arn string) (bucket, key string, ok bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != "s3" {
		return "", "", false
	}
	bucket, key, ok = strings.Cut(a.Resource, "/")
	return bucket, key, ok && bucket != "" && strings.HasSuffix(key, ".env")
}

// ParseEnvironmentFiles gives the variables in a container's environment files, as
// "NAME=value", sorted by where they are first. Of a name that is in several files the
// first file counts, and in a file the last line. What is no variable is passed over: a
// line that begins with "#", has no "=", or no name. Values are taken as they are, with
// blanks and quotes; a carriage return at the end of a line is none of it. Variables
// without a value are left out, as Fargate does.
// Source: the reference's section 4, from ECS agent's envfile.go and the developer guide.
func ParseEnvironmentFiles(files []string) []string {
	var names []string
	values := map[string]string{}
	for _, text := range files {
		for name, value := range environmentFile(text) {
			if _, known := values[name]; !known {
				values[name] = value
			}
		}
		names = append(names, environmentNames(text)...)
	}
	var all []string
	for _, name := range names {
		if value, ok := values[name]; ok && value != "" {
			all = append(all, name+"="+value)
		}
		delete(values, name)
	}
	return all
}

// environmentFile gives the variables of one file.
func environmentFile(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := environmentLine(line); ok {
			values[name] = value
		}
	}
	return values
}

// environmentNames gives the names of one file in order.
func environmentNames(text string) (names []string) {
	for line := range strings.Lines(text) {
		if name, _, ok := environmentLine(line); ok {
			names = append(names, name)
		}
	}
	return names
}

func environmentLine(line string) (name, value string, ok bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if strings.HasPrefix(line, "#") {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return name, value, ok && name != ""
}
