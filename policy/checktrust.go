package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParseTrust reads a document that shall be a role's trust policy. Which of its
// principals there are is not asked. Its error is IAM's sentence.
func ParseTrust(doc string) (Document, error) {
	d, err := decode(doc)
	return d.checked(inTrust(err), Document.checkTrust)
}

// inTrust turns a fault of the grammar into the sentence that trust policies have
// for it.
func inTrust(err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	switch {
	case f.notJSON:
		return errors.New("This policy contains invalid Json")
	case f.unknown != "":
		return fmt.Errorf("Unknown field %s", f.unknown)
	case f.missing != "":
		return missingField(f.missing)
	}
	return err
}

func missingField(name string) error { return fmt.Errorf("Missing required field %s", name) }

func prohibitedField(name string) error { return fmt.Errorf("Has prohibited field %s", name) }

func (d Document) checkTrust() error {
	if len(d.Statements) == 0 {
		return missingField("Statement")
	}
	if d.misspelt() || d.hasBadDate() {
		return errLegacy
	}
	for _, s := range d.Statements {
		if err := s.checkTrust(); err != nil {
			return err
		}
	}
	if err := d.checkSIDs(); err != nil {
		return err
	}
	return d.checkActions()
}

func (s *Statement) checkTrust() error {
	switch {
	case s.Resources != nil:
		return prohibitedField("Resource")
	case s.NotResources != nil:
		return prohibitedField("NotResource")
	case s.Principals == nil && s.NotPrincipals == nil:
		return missingField("Principal")
	case s.Principals != nil && s.Principals.isEmpty():
		return errors.New("Missing required field Principal cannot be empty!")
	case len(s.Actions)+len(s.NotActions) == 0:
		return missingField("Action")
	case slices.ContainsFunc(s.Actions, isNoTrustAction):
		return errors.New("AssumeRole policy may only specify STS AssumeRole actions.")
	}
	return cmp.Or(s.Principals.check(), s.NotPrincipals.check())
}

// trustActions are what a trust policy can allow, in lower case.
// Source: Service Authorization Reference, "AWS Security Token Service".
var trustActions = []string{
	"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:decodeauthorizationmessage",
	"sts:getaccesskeyinfo", "sts:getcalleridentity", "sts:getfederationtoken", "sts:getservicebearertoken",
	"sts:getsessiontoken", "sts:setcontext", "sts:setsourceidentity", "sts:tagsession",
}

// isNoTrustAction reports whether an action or a pattern of them is not among those.
func isNoTrustAction(action string) bool {
	if action == "*" {
		return false
	}
	p := compile(strings.ToLower(action), false)
	return !strings.HasPrefix(p.text, "sts:") ||
		!slices.ContainsFunc(trustActions, func(a string) bool { return p.matches(a, new(Request)) })
}

var (
	account = regexp.MustCompile(`^\d{12}$`)
	// identity is the ARN of what can be trusted: an account, a user, a role, or a
	// session. Patterns are not.
	identity = regexp.MustCompile(`^arn:aws[a-z-]*:(iam::\d{12}:(root|(user|role)/[^*?]+)|sts::\d{12}:(assumed-role|federated-user)/[^*?]+)$`)
	uniqueID = regexp.MustCompile(`^(AIDA|AROA)[A-Z0-9]{12,}$`)
	service  = regexp.MustCompile(`^[a-z0-9.-]+\.(amazonaws\.com|amazon\.com|aws\.internal|aws)(\.cn)?$`)
)

func (p *Principals) isEmpty() bool { return !p.Everyone && len(p.ByKind) == 0 }

// check refuses what cannot be a principal.
func (p *Principals) check() error {
	if p == nil {
		return nil
	}
	for _, v := range p.ByKind["AWS"] {
		if v != "*" && !account.MatchString(v) && !identity.MatchString(v) && !uniqueID.MatchString(v) {
			return InvalidPrincipal(v)
		}
	}
	for _, v := range p.ByKind["Service"] {
		if !service.MatchString(v) {
			return fmt.Errorf("Invalid principal in policy: \"SERVICE\":\"%s\"", v)
		}
	}
	return nil
}

// InvalidPrincipal is IAM's sentence on an AWS principal that there is not.
func InvalidPrincipal(principal string) error {
	return fmt.Errorf("Invalid principal in policy: \"AWS\":\"%s\"", principal)
}
