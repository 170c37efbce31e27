package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// CheckIdentity checks the rules for policies of users, groups and roles. Its error
// has IAM's message.
func (d Document) CheckIdentity() error {
	if d.Version == "" && len(d.Statements) == 0 {
		return errSyntax
	}
	for _, s := range d.Statements {
		if s.Principals != nil || s.NotPrincipals != nil {
			return errors.New("Policy document should not specify a principal.")
		}
		if len(s.Actions)+len(s.NotActions) == 0 {
			return errors.New("Policy statement must contain actions.")
		}
		if len(s.Resources)+len(s.NotResources) == 0 {
			return errors.New("Policy statement must contain resources.")
		}
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			if err := checkResource(r); err != nil {
				return err
			}
		}
	}
	return d.check()
}

// CheckTrust checks the rules for trust policies of roles. Its error has IAM's
// message.
func (d Document) CheckTrust() error {
	if len(d.Statements) == 0 {
		return errSyntax
	}
	for _, s := range d.Statements {
		if s.Resources != nil || s.NotResources != nil {
			return errors.New("Has prohibited field Resource")
		}
		if s.Principals == nil && s.NotPrincipals == nil {
			return errors.New("Missing required field Principal")
		}
		if s.Principals != nil && !s.Principals.Everyone && len(s.Principals.ByKind) == 0 {
			return errors.New("Missing required field Principal cannot be empty!")
		}
		if len(s.Actions)+len(s.NotActions) == 0 {
			return errors.New("Missing required field Action")
		}
		for _, a := range s.Actions {
			if !strings.HasPrefix(strings.ToLower(a), "sts:") && a != "*" {
				return errors.New("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
		if err := checkPrincipals(s.Principals); err != nil {
			return err
		}
	}
	return d.check()
}

var (
	action   = regexp.MustCompile(`^[a-zA-Z0-9*?-]+:[a-zA-Z0-9*?_.:-]+$`)
	sid      = regexp.MustCompile(`^[a-zA-Z0-9]*$`)
	account  = regexp.MustCompile(`^\d{12}$`)
	iamARN   = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::(\d{12}|aws|cloudfront):.+$`)
	uniqueID = regexp.MustCompile(`^(AIDA|AROA)[A-Z0-9]{12,}$`)
	service  = regexp.MustCompile(`^[a-z0-9.-]+\.(amazonaws\.com|amazon\.com|aws\.internal|aws)(\.cn)?$`)
)

func (d Document) check() error {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if !sid.MatchString(s.SID) {
			return errors.New("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if s.SID != "" && seen[s.SID] {
			return errors.New("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.SID] = true
		for _, a := range slices.Concat(s.Actions, s.NotActions) {
			if a != "*" && !action.MatchString(a) {
				return errors.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
		for _, c := range s.Conditions {
			if !strings.Contains(c.Key, ":") {
				return errors.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
	}
	return nil
}

func checkResource(r string) error {
	if r == "*" || strings.HasPrefix(r, "arn:") {
		return nil
	}
	return fmt.Errorf("Resource %s must be in ARN format or \"*\".", r)
}

func checkPrincipals(p *Principals) error {
	if p == nil {
		return nil
	}
	for _, v := range p.ByKind["AWS"] {
		if v != "*" && !account.MatchString(v) && !iamARN.MatchString(v) && !uniqueID.MatchString(v) {
			return fmt.Errorf("Invalid principal in policy: \"AWS\":\"%s\"", v)
		}
	}
	for _, v := range p.ByKind["Service"] {
		if !service.MatchString(v) {
			return fmt.Errorf("Invalid principal in policy: \"SERVICE\":\"%s\"", v)
		}
	}
	return nil
}
