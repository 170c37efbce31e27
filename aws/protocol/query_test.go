package protocol_test

import (
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"fargo/aws/ec2"
	"fargo/aws/iam"
	"fargo/aws/protocol"
)

const id = "11111111-2222-3333-4444-555555555555"

func TestQueryAnswers(t *testing.T) {
	const open = `<DoThingResponse xmlns="http://things.example/doc/2020-01-01/"><DoThingResult>`
	const end = `</DoThingResult><ResponseMetadata><RequestId>` + id + `</RequestId></ResponseMetadata></DoThingResponse>`
	for _, c := range []struct {
		name string
		out  any
		want string
	}{
		{"nothing", (*everything)(nil), ``},
		{"text", &everything{Text: new("a<&>\"\r\x00\xff")}, `<text>a&lt;&amp;&gt;&quot;&#xD;` + "\ufffd\ufffd" + `</text>`},
		{
			"lists", &everything{Texts: []string{"a", "b"}, Parts: []part{{Key: new("k")}}, Colors: []color{}},
			`<texts><item>a</item><item>b</item></texts><colors></colors><parts><member><key>k</key></member></parts>`,
		},
		{
			"flat", &everything{Flat: []part{{Key: new("k")}, {Key: new("l")}}, FlatMap: map[string]string{"a": "1"}},
			`<Flat><key>k</key></Flat><Flat><key>l</key></Flat><flatMap><key>a</key><value>1</value></flatMap>`,
		},
		{"lists in lists", &everything{Grid: [][]string{{"a"}, {}}}, `<grid><member><member>a</member></member><member></member></grid>`},
		{"map", &everything{Pairs: map[string]string{"a": "1"}}, `<pairs><entry><Name>a</Name><Value>1</Value></entry></pairs>`},
		{"times", &everything{When: new(time.UnixMilli(1700000000120))}, `<when>2023-11-14T22:13:20.120Z</when>`},
		{"whole seconds", &everything{When: new(time.Unix(1700000000, 0))}, `<when>2023-11-14T22:13:20Z</when>`},
	} {
		t.Run(c.name, func(t *testing.T) { equal(t, answer(t, "query", c.out), open+c.want+end) })
	}
}

func TestQueryRequests(t *testing.T) {
	var in everything
	decode(t, "query", "Action=DoThing&Version=2020-01-01&text=a%26+b&small=7&flag=True&when=2023-11-14T22%3A13%3A20Z&raw=aGk%3D"+
		"&texts.item.2=b&texts.item.10=c&texts.item.1=a&colors=&Flat.1.key=x&Flat.2.key=y&parts.member.1.key=p&parts.member.1.count=3"+
		"&pairs.entry.1.Name=n&pairs.entry.1.Value=v&flatMap.1.key=k&flatMap.1.value=v&inner.key=i&grid.member.1.member.1=g&unknown.1=z", &in)
	equal(t, answer(t, "json", &in), `{"text":"a& b","small":7,"flag":true,"raw":"aGk=","when":1700000000,"texts":["a","b","c"],"colors":[],`+
		`"parts":[{"key":"p","count":3}],"flat":[{"key":"x"},{"key":"y"}],"grid":[["g"]],"pairs":{"n":"v"},"flatMap":{"k":"v"},"inner":{"key":"i"}}`)

	r := request("")
	r.HTTP = httptest.NewRequest("GET", "/?Action=DoThing&text=a", nil)
	in = everything{}
	if err := protocol.For("query").Decode(r, &in); err != nil || *in.Text != "a" {
		t.Errorf("a GET: %v %v", in.Text, err)
	}
}

func TestQueryRefusals(t *testing.T) {
	for body, want := range map[string]string{
		"text=%zz":               "The value of text is not URL encoded",
		"small=x":                "Invalid value 'x' at 'small': expected an integer",
		"small=99999999999":      "Invalid value '99999999999' at 'small': expected an integer",
		"flag=yes":               "boolean must follow xsd1.1 definition",
		"when=yesterday":         "timestamp must follow ISO8601",
		"texts=a":                "",
		"texts.item=a":           "Unexpected list element termination",
		"texts.item.x=a":         "Key (texts.item.x) is not indexed",
		"text.1=a":               "Start of structure or map found where not expected.",
		"inner=a":                "Unexpected complex element termination",
		"pairs.entry.1.Value=v":  "pairs.entry.1 has no key",
		"inner.count=1&inner.a.": "",
		"text=a" + strings.Repeat("&text=a", 100_000): "The request has too many parameters",
		"text." + strings.Repeat("a.", 100) + "=":     "The parameter text." + strings.Repeat("a.", 47) + "a is nested too deeply",
		deepNames(2000, 90):                           "The request has too many parameters",
	} {
		err := protocol.For("query").Decode(request(body), &everything{})
		var e *protocol.Error
		if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.Code != "MalformedInput" || e.Message != want) {
			t.Errorf("%.100s: %v, want %s", body, err, want)
		}
	}
}

// deepNames is a form of n parameters whose names have nothing in common.
func deepNames(n, depth int) string {
	var form strings.Builder
	for i := range n {
		form.WriteString(strconv.Itoa(i) + strings.Repeat(".a", depth) + "=&")
	}
	return form.String()
}

func TestQueryErrors(t *testing.T) {
	a := encodeError("query", protocol.Errorf("NoSuchThingException", "no <x>").WithStatus(404))
	equal(t, string(a.Body), `<ErrorResponse xmlns="http://things.example/doc/2020-01-01/"><Error><Type>Sender</Type><Code>NoSuchThing</Code>`+
		`<Message>no &lt;x&gt;</Message></Error><RequestId>`+id+`</RequestId></ErrorResponse>`)
	a = encodeError("query", &protocol.Error{Code: "NotFound"})
	equal(t, string(a.Body), `<ErrorResponse xmlns="http://things.example/doc/2020-01-01/"><Error><Type>Sender</Type><Code>NotFound</Code></Error><RequestId>`+id+`</RequestId></ErrorResponse>`)
	a = encodeError("query", &protocol.Error{Code: "Broken", Fault: true})
	if a.Status != 500 {
		t.Errorf("a fault has status %d", a.Status)
	}
}

func TestEC2(t *testing.T) {
	var in everything
	decode(t, "ec2", "Action=DoThing&Version=2020-01-01&Text=a&Texts.1=x&Texts.2=y&Parts.1.Key=k&Parts.1.HowMany=2&Inner.Key=i", &in)
	equal(t, answer(t, "json", &in), `{"text":"a","texts":["x","y"],"parts":[{"key":"k","count":2}],"inner":{"key":"i"}}`)

	var e *protocol.Error
	if err := protocol.For("ec2").Decode(request("Action=DoThing&Colour=x"), &in); !errors.As(err, &e) || e.Code != "UnknownParameter" {
		t.Errorf("unknown parameter: %v", err)
	}
	if err := protocol.For("ec2").Decode(request("Small=x"), &in); !errors.As(err, &e) || e.Code != "InvalidParameterValue" {
		t.Errorf("bad number: %v", err)
	}
	equal(t, answer(t, "ec2", &everything{Text: new("a"), Texts: []string{"x"}, When: new(time.Unix(1700000000, 0))}),
		`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<DoThingResponse xmlns="http://things.example/doc/2020-01-01/"><requestId>`+id+`</requestId>`+
			`<text>a</text><when>2023-11-14T22:13:20.000Z</when><texts><item>x</item></texts></DoThingResponse>`)
	equal(t, string(encodeError("ec2", protocol.Errorf("InvalidVpcID.NotFound", "no")).Body),
		`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors><RequestID>`+id+`</RequestID></Response>`)
}

// TestGeneratedShapes reads what botocore 1.43 sends for real operations.
func TestGeneratedShapes(t *testing.T) {
	var sg ec2.AuthorizeSecurityGroupIngressInput
	decode(t, "ec2", "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80"+
		"&IpPermissions.1.ToPort=80&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b&DryRun=false", &sg)
	if *sg.IpPermissions[0].IpRanges[0].CidrIp != "0.0.0.0/0" || *sg.TagSpecifications[0].Tags[0].Key != "a" || *sg.DryRun {
		t.Errorf("decoded %+v", sg)
	}
	var describe ec2.DescribeSubnetsInput
	decode(t, "ec2", "Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&SubnetId.1=subnet-1", &describe)
	if describe.Filters[0].Values[0] != "vpc-1" || describe.SubnetIds[0] != "subnet-1" {
		t.Errorf("decoded %+v", describe)
	}
	var role iam.CreateRoleInput
	decode(t, "query", "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=k&Tags.member.1.Value=v", &role)
	if *role.RoleName != "r" || *role.Tags[0].Value != "v" {
		t.Errorf("decoded %+v", role)
	}
}
