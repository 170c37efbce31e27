package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParseManaged reads a document that shall be a managed policy. Its error is IAM's
// sentence, as are those of the others.
func ParseManaged(doc string) (Document, error) {
	d, err := decode(doc)
	if err == nil && d.Version != "2012-10-17" && len(d.Statements) > 0 {
		err = errors.New("Policy document must be version 2012-10-17 or greater.")
	}
	return d.checked(err, Document.checkIdentity)
}

// ParseInline reads a document that shall be a policy of a user, a group or a role,
// or of a session.
func ParseInline(doc string) (Document, error) {
	d, err := decode(doc)
	return d.checked(err, Document.checkIdentity)
}

// checked gives the document, or the first error.
func (d Document) checked(err error, check func(Document) error) (Document, error) {
	if err == nil {
		err = check(d)
	}
	if err != nil {
		return Document{}, err
	}
	return d, nil
}

// checkIdentity checks the rules of identity-based policies: the first that is
// broken decides. A resource that is not one is told of only after statements that
// lack something, while what the older parser does not read comes before.
func (d Document) checkIdentity() error {
	if len(d.Statements) == 0 {
		return errSyntax
	}
	if d.misspelt() || d.hasBadDate() {
		return errLegacy
	}
	legacy, badResource := d.checkResources()
	if legacy {
		return errLegacy
	}
	for _, check := range []func() error{d.checkNoPrincipals, d.checkSIDs, d.checkHasActions} {
		if err := check(); err != nil {
			return err
		}
	}
	if badResource != nil {
		return badResource
	}
	if err := d.checkActions(); err != nil {
		return err
	}
	for _, s := range d.Statements {
		if len(s.Resources)+len(s.NotResources) == 0 {
			return errors.New("Policy statement must contain resources.")
		}
	}
	return nil
}

func (d Document) checkNoPrincipals() error {
	for _, s := range d.Statements {
		if s.Principals != nil || s.NotPrincipals != nil {
			return errors.New("Policy document should not specify a principal.")
		}
	}
	return nil
}

func (d Document) checkHasActions() error {
	for _, s := range d.Statements {
		if len(s.Actions)+len(s.NotActions) == 0 {
			return errors.New("Policy statement must contain actions.")
		}
	}
	return nil
}

var (
	sid    = regexp.MustCompile(`^[a-zA-Z0-9]*$`)
	vendor = regexp.MustCompile(`^(\*|[a-zA-Z0-9.-]*)$`)
)

func (d Document) checkSIDs() error {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if !sid.MatchString(s.SID) {
			return errors.New("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if s.SID != "" && seen[s.SID] {
			return errors.New("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.SID] = true
	}
	return nil
}

// checkActions checks actions, "*" or a vendor and a name. Which names there are is
// not asked.
func (d Document) checkActions() error {
	for _, s := range d.Statements {
		for _, a := range slices.Concat(s.Actions, s.NotActions) {
			prefix, name, found := strings.Cut(a, ":")
			switch {
			case a == "*":
			case !found:
				return errors.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			case strings.Contains(name, ":"):
				return errors.New("Actions/Condition can contain only one colon.")
			case !vendor.MatchString(prefix):
				return fmt.Errorf("Vendor %s is not valid", prefix)
			}
		}
	}
	return nil
}
