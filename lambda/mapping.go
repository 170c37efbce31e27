package lambda

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Mappings are what is given for functions, by their names or ARNs.
type Mappings map[string]mapping

// mapping is what a function stands for: a URL or, without one, a task.
type mapping struct {
	url  string
	task taskTarget
}

// taskTarget is how a function runs as a task.
type taskTarget struct {
	family         string
	revision       int // 0 for the last that is ACTIVE
	cluster        string
	subnets        []string // none for those of the default VPC
	securityGroups []string // none for the default one of the VPC
}

// defaultCluster is where functions run unless another is given.
const defaultCluster = "default"

// ParseMappings reads mappings such as "rotate=http://10.0.0.5:8080/" and
// "rotate=rotation:3,cluster=jobs,subnet=subnet-1,subnet=subnet-2,security-group=sg-1": a
// function's name or ARN, "=", and the URL that it is called at or the task definition
// that it is run as.
func ParseMappings(texts []string) (Mappings, error) {
	all := Mappings{}
	for _, text := range texts {
		name, target, ok := strings.Cut(text, "=")
		if !ok || name == "" || target == "" {
			return nil, fmt.Errorf("function %q: not NAME=URL or NAME=TASKDEF", text)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("function %s is given twice", name)
		}
		m, err := parseMapping(target)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
		all[name] = m
	}
	return all, nil
}

func parseMapping(target string) (mapping, error) {
	if !strings.Contains(target, "://") {
		task, err := parseTask(target)
		return mapping{task: task}, err
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return mapping{}, fmt.Errorf("%q is not a URL of http or https", target)
	}
	return mapping{url: target}, nil
}

func parseTask(target string) (taskTarget, error) {
	definition, options, more := strings.Cut(target, ",")
	t := taskTarget{cluster: defaultCluster}
	family, revision, given := strings.Cut(definition, ":")
	n, err := strconv.Atoi(revision)
	if family == "" || strings.Contains(family, "=") || given && (err != nil || n < 1) {
		return t, fmt.Errorf("%q does not begin with FAMILY or FAMILY:REVISION of a task definition", target)
	}
	t.family, t.revision = family, n
	for option := range strings.SplitSeq(options, ",") {
		switch name, value, _ := strings.Cut(option, "="); {
		case !more:
		case value == "":
			return t, fmt.Errorf("%q is not OPTION=VALUE", option)
		case name == "cluster":
			t.cluster = value
		case name == "subnet":
			t.subnets = append(t.subnets, value)
		case name == "security-group":
			t.securityGroups = append(t.securityGroups, value)
		default:
			return t, fmt.Errorf("there is no option %q: cluster, subnet and security-group are those of a task", name)
		}
	}
	return t, nil
}
