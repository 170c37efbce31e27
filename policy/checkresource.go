package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// partitions are those of AWS. Source: AWS General Reference, "Amazon Resource Names
// (ARNs)", and botocore's partitions.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

// iamPaths begin the resources of IAM, in the order of IAM's sentence.
var iamPaths = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// regionalS3 begin the resources of S3 that are in a region, which buckets are not.
// Source: Service Authorization Reference, "Amazon S3".
var regionalS3 = []string{"accesspoint/", "job/", "storage-lens/", "storage-lens-group/", "async-request/", "access-grants/", "*"}

// accountPart is what may stand where an ARN has its account: a number or a pattern
// of one, one of AWS's own names, or nothing.
var accountPart = regexp.MustCompile(`^(|\d{12}|aws|amazon|cloudfront|aws-managed|[\d*?]*[*?][\d*?]*|.*\$\{.*)$`)

// checkResources looks for what is no resource. The older parser reads the resources
// of a statement only if they look right, and what it does not read is told first.
func (d Document) checkResources() (legacy bool, bad error) {
	for _, s := range d.Statements {
		for _, list := range [][]string{s.Resources, s.NotResources} {
			for _, r := range list {
				if bad == nil {
					bad = checkResource(r)
				}
			}
			if bad == nil && slices.ContainsFunc(list, isUnreadable) {
				return true, nil
			}
		}
	}
	return false, bad
}

// checkResource checks a resource, "*" or an ARN. That it begins with "arn" is not
// asked: IAM takes anything there.
func checkResource(r string) error {
	if r == "*" {
		return nil
	}
	_, rest, found := strings.Cut(r, ":")
	if !found {
		return fmt.Errorf("Resource %s must be in ARN format or \"*\".", r)
	}
	parts := strings.SplitN(rest, ":", 5) // partition, service, region, account, resource
	if parts[0] != "*" && !slices.Contains(partitions, parts[0]) {
		return fmt.Errorf("Partition \"%s\" is not valid for resource \"arn:%s\".", parts[0], strings.Join(completed(parts), ":"))
	}
	if len(parts) < 2 || strings.ContainsAny(parts[1], "*?") {
		return errors.New("Resource vendor must be fully qualified and cannot contain regexes.")
	}
	region, resource := part(parts, 2), part(parts, 4)
	switch parts[1] {
	case "s3":
		if region != "" && !isBelow(resource, regionalS3) {
			return fmt.Errorf("Resource %s can not contain region information.", r)
		}
	case "iam":
		if region != "" {
			return fmt.Errorf("IAM resource %s cannot contain region information.", r)
		}
		if resource != "*" && !isBelow(resource, iamPaths) {
			return fmt.Errorf("IAM resource path must either be \"*\" or start with %s.", strings.Join(iamPaths, ", "))
		}
	}
	return nil
}

func isBelow(resource string, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return strings.HasPrefix(resource, path) })
}

func part(parts []string, n int) string {
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}

// completed puts "*" where an ARN ends early.
func completed(parts []string) []string {
	all := slices.Clone(parts)
	if len(all) == 2 && all[1] == "" {
		all[1] = "*"
	}
	for len(all) < 5 {
		all = append(all, "*")
	}
	return all
}

// isUnreadable reports whether the older parser cannot read a resource: what has too
// few parts, no service, or an account that cannot be one.
func isUnreadable(r string) bool {
	if r == "*" {
		return false
	}
	parts := strings.SplitN(r, ":", 6)
	switch {
	case len(parts) < 6 && strings.Contains(r, "::"), part(parts, 2) == "":
		return true
	}
	return len(parts) == 6 && !accountPart.MatchString(parts[4])
}
