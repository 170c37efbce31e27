package record

import (
	"fargo"
	"fargo/aws/iam"
)

// Policy is a managed policy of a customer.
type Policy struct {
	Account string
	// Policy is as its user made it; counts of attachments are not kept.
	Policy iam.Policy
	// Versions are its documents, oldest first, as they were written; which one
	// is the default, Policy says.
	Versions []iam.PolicyVersion
	Latest   int // the number of the newest version there ever was
}

// Key is the policy's place in the store: names do not repeat within an account,
// whatever the path.
func (p *Policy) Key() string { return fargo.Scope{Account: p.Account}.Key(*p.Policy.PolicyName) }

// Document is the text of the version that is in force.
func (p *Policy) Document() string {
	for _, v := range p.Versions {
		if *v.VersionId == *p.Policy.DefaultVersionId {
			return *v.Document
		}
	}
	return ""
}
