package ssm

import (
	"regexp"
	"strings"

	"fargo"
	"fargo/aws/ssm"
	"fargo/record"
)

const (
	// mostLevels is how deep a hierarchy of parameters is, and longestARN how long the
	// ARN of one.
	// Source: Systems Manager API, PutParameter.
	mostLevels = 15
	longestARN = 1011

	badPath = `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; ` +
		`each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`
)

var nameForm = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)

// checkName refuses names that a customer's parameter cannot have.
func checkName(scope fargo.Scope, name string) error {
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	isPath := strings.Contains(strings.TrimPrefix(name, "/"), "/")
	first, _, _ := strings.Cut(lower, "/")
	switch {
	case strings.HasPrefix(name, "/") && first == "aws":
		return ssm.AccessDeniedException("No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(lower, "ssm") && isPath:
		return invalid(badPath)
	case strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm"):
		return invalid(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.HasSuffix(name, "/"):
		return invalid("Parameter name must not end with slash.")
	case isPath && name[0] != '/':
		return invalid("Parameter name must be a fully qualified name")
	case !nameForm.MatchString(name):
		return invalid(badPath)
	case strings.Count(strings.TrimPrefix(name, "/"), "/") >= mostLevels:
		return ssm.HierarchyLevelLimitExceededException("A hierarchy can have a maximum of %d levels.", mostLevels)
	case len(record.ParameterARN(scope, name)) > longestARN:
		return invalid("The ARN of the parameter is longer than %d characters.", longestARN)
	}
	return nil
}

// checkPath refuses what is no path in the hierarchy of parameters.
func checkPath(path string) error {
	bare := strings.Trim(path, "/")
	if !strings.HasPrefix(path, "/") || bare != "" && !nameForm.MatchString(bare) {
		return invalid(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". ` +
			`It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). ` +
			`Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
	}
	return nil
}

// below reports whether a name is in the hierarchy below a path, of which the last slash
// does not count: directly, or anywhere.
func below(path, name string, recursive bool) bool {
	prefix := strings.TrimSuffix(path, "/") + "/"
	rest, ok := strings.CutPrefix("/"+strings.TrimPrefix(name, "/"), prefix)
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}
