package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fargo/policy"
)

const (
	syntax  = "Syntax errors in policy."
	legacy  = "The policy failed legacy parsing"
	version = "Policy document must be version 2012-10-17 or greater."
	prefix  = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	colon   = "Actions/Condition can contain only one colon."
	noRes   = "Policy statement must contain resources."
	noAct   = "Policy statement must contain actions."
	vendor  = "Resource vendor must be fully qualified and cannot contain regexes."
	iamPath = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
)

// sentence is a document, a statement with its effect, or what comes after
// `"Effect":"Allow",` of one, and IAM's sentence about it; "" accepts it.
type sentence struct{ document, want string }

func (s sentence) text() string {
	switch {
	case strings.HasPrefix(s.document, `"Effect"`):
		return `{"Version":"2012-10-17","Statement":{` + s.document + `}}`
	case strings.HasPrefix(s.document, `"`):
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + s.document + `}]}`
	}
	return s.document
}

// Which sentence of IAM's policy checker a document is refused with, and which comes
// first when there are several. Source: what AWS answered the authors of moto, as
// their tests of the policy checker have it; of malformed accounts, the public
// reports 99designs/iamy#65 and danschultzer/elixir-terraform-aws-ecs-example#1.
var identitySentences = []sentence{
	// The grammar.
	{`no JSON`, syntax},
	{``, syntax},
	{`[]`, syntax},
	{`null`, syntax},
	{`{}`, syntax},
	{`{"Version":"2012-10-17"}`, syntax},
	{`{"Version":"2012-10-17","Statement":null}`, syntax},
	{`{"Version":"2012-10-17","Statement":"x"}`, syntax},
	{`{"Version":"2012-10-17","Statement":["x"]}`, syntax},
	{`{"Version":"2012-10-17","Statement":[]}`, syntax},
	{`{"Version":"2012-10-17","Statement":[]} {}`, syntax},
	{`{"Version":"2013-10-17","Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, syntax},
	{`{"Version":"2012-10-17","More":1,"Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, syntax},
	{`{"Version":"2012-10-17","statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, syntax},
	{`{"Version":"2012-10-17","Id":["x"],"Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, syntax},
	{`{"Version":"2012-10-17","Id":{},"Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, syntax},
	{`"Effect":"x","Action":"s3:A","Resource":"*"`, syntax},
	{`{"Version":"2012-10-17","Statement":{"Action":"s3:A","Resource":"*"}}`, syntax},
	{`"Acton":"s3:A","Resource":"*"`, syntax},
	{`"Action":"s3:A","Action":"s3:B","Resource":"*"`, syntax},
	{`"Action":{},"Resource":"*"`, syntax},
	{`"Action":[[]],"Resource":"*"`, syntax},
	{`"Action":null,"Resource":"*"`, syntax},
	{`"Action":"s3:A","Resource":{"a":"*"}`, syntax},
	{`"Action":"s3:A","Resource":["x",{}]`, syntax},
	{`"NotAction":"s3:A","Action":[],"Resource":"*"`, syntax},
	{`"NotAction":"s3:A","Resource":"*","NotResource":[]`, syntax},
	{`"Sid":{},"Action":"s3:A","Resource":"*"`, syntax},
	{`"Sid":[],"Action":"s3:A","Resource":"*"`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":[]`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":"a"`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"a":"b"}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":"b"}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":[]}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":{"a":{}}}`, syntax},
	{`"Resource":"*","Condition":{"DateGreaterThan":{"a":{}}}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"x":{"a":"1"}}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":{"ForAnyValue::StringEqualsIfExists":{"a":"b"}}`, syntax},
	{`"Action":"s3:A","Resource":"*","Condition":[{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}]`, syntax},

	// What the older parser does not read.
	{`"Effect":"denY","Action":"s3:A","Resource":"*"`, legacy},
	{`"Effect":"allow","Resource":"arn:aws:s3:us-east-1::b"`, legacy},
	{`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"aLLow","Action":"s3:A","Resource":"*"},{"Sid":"a","Effect":"Allow"}]}`, legacy},
	{`"Action":"s3:A","Resource":"arn:aws:s3::b"`, legacy},
	{`"Resource":"arn:aws:s3::b"`, legacy},
	{`"Action":"s3:A","NotResource":"arn:aws:s3::b"`, legacy},
	{`"NotAction":"s3:A","Resource":"arn:aws::::b"`, legacy},
	{`"Action":"s3:A","Resource":"arn:aws::x"`, legacy},
	{`"Action":"sts:AssumeRole","Resource":"arn:aws:iam::xxx:role/b"`, legacy},
	{`"Action":"sts:AssumeRole","Resource":["arn:aws:iam::12345678901:role/b"]`, legacy},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":{"a":"x"}}`, legacy},
	{`"Condition":{"DateGreaterThan":{"a":"x"}}`, legacy},
	{`"Action":"s3:A","Resource":"arn:error:s3:::b","Condition":{"DateGreaterThan":{"a":"x"}}`, legacy},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateLessThanEquals":{"a":"234-13"}}`, legacy},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+1"}}`, legacy},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.1999999999+10:59"}}`, legacy},
	{`"Action":"s3:A","Resource":"*","Condition":{"ForAnyValue:DateLessThan":{"a":["1","9223372036854775808"]}}`, legacy},

	// Statements that lack something, and their names.
	{`"Resource":"*"`, noAct},
	{`"Effect":"Allow"`, noAct},
	{`"Action":[],"Resource":"*"`, noAct},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Deny"},{"Effect":"Allow","Action":"s3:A","Resource":"*"}]}`, noAct},
	{`"Action":"s3:A"`, noRes},
	{`"Action":"s3:A","Resource":[]`, noRes},
	{`"Action":"s3:A","Resource":"*","Principal":"*"`, "Policy document should not specify a principal."},
	{`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:A","Resource":"*"},{"Sid":"a","Effect":"Allow"}]}`, "Statement IDs (SID) in a single policy must be unique."},
	{`"Sid":"a b","Action":"s3:A","Resource":"*"`, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},

	// Resources.
	{`"Action":"s3:A","Resource":"some thing"`, `Resource some thing must be in ARN format or "*".`},
	{`"Action":"s3:A","Resource":["x"]`, `Resource x must be in ARN format or "*".`},
	{`"Action":"s3:A","Resource":""`, `Resource  must be in ARN format or "*".`},
	{`"Action":"s:3:A","Resource":"x"`, `Resource x must be in ARN format or "*".`},
	{`"Action":"s3:A","Resource":"a:b"`, `Partition "b" is not valid for resource "arn:b:*:*:*:*".`},
	{`"NotAction":"s3:A","Resource":"a:b:c"`, `Partition "b" is not valid for resource "arn:b:c:*:*:*".`},
	{`"NotAction":"s3:A","Resource":"a:b:c:d:e:f:g:h"`, `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
	{`"Action":"s3:A","Resource":"aws:s3:::b"`, `Partition "s3" is not valid for resource "arn:s3:::b:*".`},
	{`"Action":"s3:A","Resource":["arn:error:s3:::b","arn:error:s3::b"]`, `Partition "error" is not valid for resource "arn:error:s3:::b".`},
	{`"Action":"s3:A","Resource":"arn:aws"`, vendor},
	{`"Action":"s3:A","Resource":"arn:aws:s*:::b"`, vendor},
	{`"Action":"s3:A","Resource":"arn:aws:iam:us-east-1::b"`, `IAM resource arn:aws:iam:us-east-1::b cannot contain region information.`},
	{`"Action":"s3:A","Resource":"arn:aws:s3:us-east-1::b"`, `Resource arn:aws:s3:us-east-1::b can not contain region information.`},
	{`"Action":"s3:A","Resource":"arn:aws:iam:::b"`, iamPath},

	// Actions.
	{`"Action":"invalid","Resource":"*"`, prefix},
	{`"Action":"invalid"`, prefix},
	{`"NotAction":"","Resource":"*"`, prefix},
	{`"Action":"s3:List:Bucket","Resource":"*"`, colon},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3s:A","Resource":"*"},{"Effect":"Allow","Action":"s:3s:A","Resource":"*"}]}`, colon},
	{`"Action":"a a:List","Resource":"*"`, "Vendor a a is not valid"},

	// What is accepted.
	{`"Action":"*","Resource":"*"`, ""},
	{`"Action":"iam: a b ","Resource":"arn:aws:s3:::b"`, ""},
	{`"Action":"s3.s:A","Resource":"*"`, ""},
	{`"Action":"s3-s:A","Resource":["arn:aws:s3:::b","*"]`, ""},
	{`"Action":"nothing:A","Resource":"arn:aws:nothing:us-east-1::b"`, ""},
	{`"Action":"s3:A","Resource":"arn:aws:x"`, ""},
	{`"Action":"s3:A","Resource":"arn:*:s3:::b"`, ""},
	{`"Action":"s3:A","Resource":"arn:aws-cn:s3:::b"`, ""},
	{`"Action":"s3:A","Resource":"arn:aws:s3:us-east-1:123456789012:accesspoint/a"`, ""},
	{`"Action":"iam:A","Resource":["arn:aws:iam:::user/a","arn:aws:iam::*:user/${aws:username}","arn:aws:iam::aws:policy/a"]`, ""},
	{`"Action":"kms:A","Resource":["arn:aws:kms:*:123456789012:key/*",null]`, ""},
	{`"Action":"kms:A","Resource":"arn:aws:kms:*:${aws:PrincipalAccount}:key/*"`, ""},
	{`"NotAction":"s3:A","NotResource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, ""},
	{`{"Version":"2012-10-17","Id":"x","Statement":{"Effect":"Deny","Action":"s3:A","Resource":"*"}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"a":{}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"x":{},"y":{}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":{}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":{"a":[]}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateGreaterThan":{"a":"01T"}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateLessThan":{"a":"-292275054"}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"DateLessThanEquals":{"a":["2019-07-01T13:20:15Z","2016-12-13T21:20:37.593194+00:00","2016-12-13t2:00:00.593194+23","1900000000"]}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"ForAnyValue:StringEqualsIfExists":{"a":"b"}}`, ""},
	{`"Action":"s3:A","Resource":"*","Condition":{"Bool":{"kms:a":true},"ForAllValues:Bool":{"kms:a":false},"Null":{"kms:b":"true"}}`, ""},
}

func TestIdentitySentences(t *testing.T) {
	for _, s := range identitySentences {
		if _, err := policy.ParseManaged(s.text()); sentenceOf(err) != s.want {
			t.Errorf("%s:\n%s, want\n%s", s.text(), sentenceOf(err), s.want)
		}
		if _, err := policy.ParseInline(s.text()); sentenceOf(err) != s.want {
			t.Errorf("%s inline:\n%s, want\n%s", s.text(), sentenceOf(err), s.want)
		}
	}
}

// Managed policies need the newer version. It is asked for after the grammar, and
// before anything else.
func TestVersionOfManagedPolicies(t *testing.T) {
	for _, s := range []sentence{
		{`{"Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, version},
		{`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`, version},
		{`{"Statement":{"Effect":"denY","Action":"s3:A","Resource":"*"}}`, version},
		{`{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:A","Resource":"*"},{"Sid":"a","Effect":"Allow"}]}`, version},
		{`{"Statement":[]}`, syntax},
		{`{"Statement":{"Effect":"Allow","Acton":"s3:A"}}`, syntax},
	} {
		if _, err := policy.ParseManaged(s.document); sentenceOf(err) != s.want {
			t.Errorf("%s:\n%s, want\n%s", s.document, sentenceOf(err), s.want)
		}
	}
	for _, version := range []string{``, `"Version":"2008-10-17",`} {
		doc := `{` + version + `"Statement":{"Effect":"Allow","Action":"s3:A","Resource":"*"}}`
		if _, err := policy.ParseInline(doc); err != nil {
			t.Errorf("%s inline: %v", doc, err)
		}
		if _, err := policy.ParseTrust(`{` + version + `"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`); err != nil {
			t.Errorf("%s of a trust policy: %v", version, err)
		}
	}
}

// The sentences about trust policies. Source: recorded (invalid Json); public reports
// of CreateRole (unknown, missing and prohibited fields, principals, actions, as
// hashicorp/terraform-provider-aws#32872). Of fields that are rarely missed the
// sentence is made after those, which is ours.
var trustSentences = []sentence{
	{`{`, "This policy contains invalid Json"},
	{`{"Version":"2012-10-17","Statement":[{"Action":"sts:AssumeRole","Principal":"*","Effect":"Allow",}]}`, "This policy contains invalid Json"},
	{`{"version":"2012-10-17","Statement":[]}`, "Unknown field version"},
	{`"Effect":"Allow","Comment":"x"`, "Unknown field Comment"},
	{`"Effect":"Allow","Principal":{"Nobody":"*"},"Action":"sts:AssumeRole"`, "Unknown field Nobody"},
	{`{"Version":"2012-10-17"}`, "Missing required field Statement"},
	{`{"Version":"2012-10-17","Statement":[]}`, "Missing required field Statement"},
	{`{"Statement":{"Principal":"*","Action":"sts:AssumeRole"}}`, "Missing required field Effect"},
	{`"Action":"sts:AssumeRole"`, "Missing required field Principal"},
	{`"Principal":{},"Action":"sts:AssumeRole"`, "Missing required field Principal cannot be empty!"},
	{`"Principal":"*"`, "Missing required field Action"},
	{`"Principal":"*","Action":"sts:AssumeRole","Resource":"*"`, "Has prohibited field Resource"},
	{`"Principal":"*","Action":"sts:AssumeRole","NotResource":"*"`, "Has prohibited field NotResource"},
	{`"Principal":"*","Action":"s3:GetObject"`, "AssumeRole policy may only specify STS AssumeRole actions."},
	{`"Principal":"*","Action":["sts:AssumeRole","sts:TagSessions"]`, "AssumeRole policy may only specify STS AssumeRole actions."},
	{`"Effect":"allow","Principal":"*","Action":"sts:AssumeRole"`, legacy},
	{`"Effect":"x","Principal":"*","Action":"sts:AssumeRole"`, syntax},
	{`"Principal":"me","Action":"sts:AssumeRole"`, syntax},
	{`"Principal":{"AWS":"me"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "AWS":"me"`},
	{`"Principal":{"AWS":"12345678901"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "AWS":"12345678901"`},
	{`"Principal":{"AWS":"arn:aws:iam::123456789012:role/*"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*"`},
	{`"Principal":{"AWS":"arn:aws:iam::123456789012:group/a"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/a"`},
	{`"NotPrincipal":{"AWS":"me"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "AWS":"me"`},
	{`"Principal":{"Service":"ecs-tasks"},"Action":"sts:AssumeRole"`, `Invalid principal in policy: "SERVICE":"ecs-tasks"`},
	{`"Principal":{"AWS":["123456789012","*","AROA1234567890ABCDEF","arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:role/p/a","arn:aws:sts::123456789012:assumed-role/a/b"]},"Action":"sts:*"`, ""},
	{`"Principal":{"Service":["ecs-tasks.amazonaws.com"],"Federated":"a"},"Action":["sts:AssumeRole","sts:TagSession","sts:Assume*"]`, ""},
	{`"Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"ExternalId":"x"}}`, ""},
}

func TestTrustSentences(t *testing.T) {
	for _, s := range trustSentences {
		if _, err := policy.ParseTrust(s.text()); sentenceOf(err) != s.want {
			t.Errorf("%s:\n%s, want\n%s", s.text(), sentenceOf(err), s.want)
		}
	}
}

func sentenceOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What was stored by an older version, which checked less, is still read.
func TestParseReadsWhatIsNoLongerWritten(t *testing.T) {
	for _, doc := range []string{
		`{"Version":"2012-10-17","Statement":[]}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b:c","Resource":"arn:x"}}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"DateLessThan":{"a:b":"x"}}}}`,
	} {
		parse(t, doc)
	}
	if _, err := policy.Parse(`{"Statement":{"Effect":"allow","Action":"a:b","Resource":"*"}}`); err == nil {
		t.Error("an effect that is none is evaluated")
	}
}

// The managed policies that AWS has, in testdata/managed, pass every check that
// customers' pass. Source: iam-dataset (MIT), August 2026.
func TestRecordedManagedPolicies(t *testing.T) {
	files, err := filepath.Glob("testdata/managed/*.json")
	if err != nil || len(files) < 61 {
		t.Fatalf("%d managed policies (%v)", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var recorded struct {
			Document json.RawMessage `json:"document"`
		}
		if err := json.Unmarshal(b, &recorded); err != nil {
			t.Fatal(err)
		}
		if _, err := policy.ParseManaged(string(recorded.Document)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
