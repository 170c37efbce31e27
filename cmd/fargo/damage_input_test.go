package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo/aws/protocol"
)

// damagedRequest makes a request of an operation that is nearly right.
func damagedRequest(rng *rand.Rand, op target) *http.Request {
	g := &inputs{rng: rng}
	input := g.structure(reflect.TypeOf(op.operation.Input()).Elem(), 0)
	for range []int{0, 0, 1, 1, 2}[rng.IntN(5)] {
		input = g.damage(input)
	}
	if op.service.Speaks("json") {
		return jsonRequest(g, op, input)
	}
	return queryRequest(g, op, input)
}

func jsonRequest(g *inputs, op target, input any) *http.Request {
	body, err := json.Marshal(input)
	if err != nil {
		panic(err) // of a tree of plain values
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(g.cut(string(body))))
	r.Header.Set("X-Amz-Target", op.service.TargetPrefix+"."+op.operation.Name)
	r.Header.Set("Content-Type", g.oneOf("application/x-amz-json-"+op.service.JSONVersion, "application/x-amz-json-"+op.service.JSONVersion, "text/plain", "a b;;=", ""))
	g.headers(r)
	return r
}

func queryRequest(g *inputs, op target, input any) *http.Request {
	form := url.Values{"Action": {op.operation.Name}, "Version": {op.service.APIVersion}}
	g.flatten(form, "", input, reflect.TypeOf(op.operation.Input()), op.service.Speaks("ec2"))
	body := g.cut(form.Encode())
	if g.rng.IntN(8) == 0 {
		return httptest.NewRequest(http.MethodGet, "/?"+body, nil)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	g.headers(r)
	return r
}

func describe(r *http.Request) string {
	var b strings.Builder
	if err := r.Clone(r.Context()).Write(&b); err != nil {
		return err.Error()
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	text := fmt.Sprintf("%s %v\n%.2000s", r.URL, r.Header, body)
	r.Body = http.NoBody
	if r.Method == http.MethodPost {
		r.Body = readCloser{strings.NewReader(body)}
	}
	return text
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// inputs makes values.
type inputs struct{ rng *rand.Rand }

func (g *inputs) oneOf(list ...string) string { return list[g.rng.IntN(len(list))] }

// headers damages the request outside of its body, now and then.
func (g *inputs) headers(r *http.Request) {
	switch g.rng.IntN(60) {
	case 0:
		r.Header.Set("Content-Encoding", "gzip")
	case 1:
		r.Header.Set("Authorization", g.oneOf("AWS4-HMAC-SHA256 Credential=a/b/c", "Basic !!", "AWS4-HMAC-SHA256 Credential=A/20200101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0"))
	case 2:
		r.Header.Set("X-Amz-Date", "yesterday")
	}
}

// cut ends a body early, now and then.
func (g *inputs) cut(body string) string {
	if g.rng.IntN(30) == 0 {
		return body[:g.rng.IntN(len(body)+1)]
	}
	return body
}

// structure makes a structure with its required members and some of the others.
func (g *inputs) structure(t reflect.Type, depth int) any {
	members := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("aws")
		if tag == "" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !strings.Contains(options, "required") && (depth > 3 || g.rng.IntN(3) > 0) {
			continue
		}
		members[name] = g.value(f.Type, f.Tag, "", depth+1)
		if text, ok := members[name].(string); ok && f.Tag.Get("enum") == "" && g.rng.IntN(4) > 0 {
			members[name] = g.meant(name, text)
		}
	}
	return members
}

// value makes a value that mostly is as its tags ask; prefix is that of the tags of a
// list's items.
func (g *inputs) value(t reflect.Type, tag reflect.StructTag, prefix string, depth int) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return g.rng.IntN(2_000_000_000)
	}
	switch t.Kind() {
	case reflect.Struct:
		return g.structure(t, depth)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return g.oneOf("YWJj", "e30=", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=")
		}
		items := make([]any, 1+g.rng.IntN(2))
		for i := range items {
			items[i] = g.value(t.Elem(), tag, "item", depth+1)
		}
		return items
	case reflect.Map:
		return map[string]any{"a": g.value(t.Elem(), "", "", depth+1)}
	case reflect.Bool:
		return g.rng.IntN(2) == 0
	case reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		low, _ := strconv.Atoi(tag.Get(prefix + "min"))
		return low + g.rng.IntN(3)
	case reflect.String:
		return g.text(tag, prefix)
	}
	return map[string]any{}
}

// text makes a string; of those that the pattern lets pass, if there are any.
func (g *inputs) text(tag reflect.StructTag, prefix string) string {
	if values := tag.Get(prefix + "enum"); values != "" {
		return g.oneOf(strings.Split(values, "|")...)
	}
	fit := plausible
	if pattern := tag.Get(prefix + "pattern"); pattern != "" {
		if re, err := protocol.CompilePattern(pattern); err == nil {
			fit = slices.DeleteFunc(slices.Clone(plausible), func(s string) bool { return !re.MatchString(s) })
		}
	}
	if len(fit) == 0 || g.rng.IntN(10) == 0 {
		fit = wrong
	}
	return g.oneOf(fit...)
}

// meant gives what a member of a name is likely to hold, or else the text.
func (g *inputs) meant(name, text string) string {
	name = strings.ToLower(name)
	for _, hint := range hints {
		if strings.Contains(name, hint.in) {
			return g.oneOf(hint.values...)
		}
	}
	return text
}

// hints are values by what is in a member's name.
var hints = []struct {
	in     string
	values []string
}{
	{"policydocument", documents},
	{"policytext", documents},
	{"policyarn", []string{"arn:aws:iam::123456789012:policy/web", "arn:aws:iam::aws:policy/ReadOnlyAccess"}},
	{"rolearn", []string{"arn:aws:iam::123456789012:role/web"}},
	{"manifest", documents},
	{"pattern", []string{"{ $.a = 1 }", "[a, b=1*]", "%a[bc]%", "%a[b%", "a -b", "?a ?b"}},
	{"cidr", []string{"10.0.0.0/16", "10.0.1.0/24", "0.0.0.0/0", "10.0.0.0/99", "::/0", "x"}},
	{"taskdefinition", []string{"web", "web:1", "web:x"}},
	{"repository", []string{"web"}},
	{"cluster", []string{"web"}},
	{"family", []string{"web"}},
	{"group", []string{"web"}},
	{"image", []string{"nginx", "nginx:1", "a//b", "UPPER:x"}},
	{"name", []string{"web"}},
}

// documents are JSON texts, right and wrong.
var documents = slices.DeleteFunc(append(slices.Clone(plausible), wrong...), func(s string) bool { return !strings.ContainsAny(s, `{["`) })

// plausible are strings that mean something somewhere.
var plausible = []string{
	"web", "default", "1", "80", "HTTP", "true", "10.0.0.0/16", "10.0.0.1", "us-east-1a", "/", "/a/", "*", "example.com", "256", "512",
	"vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "sg-0123456789abcdef0", "igw-0123456789abcdef0", "rtb-0123456789abcdef0", "eni-0123456789abcdef0",
	"arn:aws:ecs:us-east-1:123456789012:cluster/default", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:policy/p",
	"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/0123456789abcdef", "arn:aws:logs:us-east-1:123456789012:log-group:g",
	"arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", "arn:aws:ecr:us-east-1:123456789012:repository/web",
	"123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1", "nginx:1.25", "sha256:" + strings.Repeat("a", 64), "2026-01-01T00:00:00Z", "123456789012",
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`,
	`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`, `{ $.a = 1 }`, `[a, b]`, "application/json",
}

// wrong are strings that look like something and are not.
var wrong = []string{
	"", " ", "\x00", "é\u2028", "%zz", "%", "%[a%", "%a{2%", "((", "[a, b", "{ $.a = ", "{ $.a = %x }", "?", "-", ":", "::::::", "/", "//", "a//b", "@", "a@b@c",
	"arn:", "arn:aws:iam::x:y", "arn:aws:iam::123456789012:role/", "arn:aws:ecs:us-east-1:123456789012:cluster", "sg-", "sg-xyz", "vpc-1",
	"999.999.999.999", "10.0.0.0/99", "10.0.0.0/x", "10.0.0.0/-1", "::/0", "fe80::1%eth0", "2020-13-45T99:00:00Z", "0x10", "1e999", "-1", "99999999999999999999",
	"NaN", "1.5", "0-70000", "80-", "a:b", "UPPER/lower:tag:tag", "sha256:xyz", "text/", ";;", "a b;c", "application/json; x", strings.Repeat("a", 5000),
	"{", "[]", "{}", "null", `"`, `{"a":`, `{"Version":1}`, `{"Version":"2012-10-17","Statement":{"Effect":1}}`, `{"Version":"2012-10-17","Statement":"x"}`,
	`{"Statement":[{"Effect":"Allow","Action":{"a":1},"Resource":["*"]}]}`, `{"rules":1}`, `{"rules":[{"rulePriority":"1"}]}`, `{"rules":[{"selection":[]}]}`,
	`{"schemaVersion":"2"}`, `{"schemaVersion":2,"layers":{}}`, `{"mediaType":1}`, strings.Repeat("[", 500), strings.Repeat(`{"a":`, 500),
	"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "eyJ2IjoxfQ==", "e30", "f/1/s", "next",
}

// damage changes one value anywhere in a tree.
func (g *inputs) damage(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 || g.rng.IntN(6) == 0 {
			break
		}
		keys := slices.Sorted(maps.Keys(v))
		key := keys[g.rng.IntN(len(keys))]
		v[key] = g.damage(v[key])
		return v
	case []any:
		if len(v) == 0 || g.rng.IntN(6) == 0 {
			break
		}
		i := g.rng.IntN(len(v))
		v[i] = g.damage(v[i])
		return v
	}
	if _, ok := v.(string); ok && g.rng.IntN(3) > 0 {
		return g.oneOf(wrong...)
	}
	switch g.rng.IntN(9) {
	case 0:
		return json.Number(g.oneOf("-1", "1.5", "1e300", "99999999999999999999999", "-0", "70000", "2147483648"))
	case 1:
		return g.rng.IntN(2) == 0
	case 2:
		return []any{}
	case 3:
		return []any{nil, 1, "a", []any{}}
	case 4:
		return map[string]any{"unknown": "a", "Name": 1}
	case 5:
		return map[string]any{}
	case 6:
		deep := any("a")
		for range 150 {
			deep = []any{deep}
		}
		return deep
	}
	return g.oneOf(wrong...)
}

// flatten writes a tree as the parameters of a query. t is the type that the tree was
// made for, or nil where it is damaged.
func (g *inputs) flatten(form url.Values, path string, v any, t reflect.Type, ec2 bool) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if t != nil && t.Kind() == reflect.Struct {
				of, as := field(t, name, ec2)
				g.flatten(form, join(as), member, of, ec2)
			} else {
				form.Set(join("entry.1.key"), name)
				g.flatten(form, join("entry.1.value"), member, nil, ec2)
			}
		}
	case []any:
		for i, item := range v {
			name := strconv.Itoa(i + 1)
			if !ec2 {
				name = "member." + name
			}
			var of reflect.Type
			if t != nil && t.Kind() == reflect.Slice {
				of = t.Elem()
			}
			g.flatten(form, join(name), item, of, ec2)
		}
		if g.rng.IntN(100) == 0 {
			form.Set(join("x"), "a")
		}
	case nil:
	default:
		form.Set(path, fmt.Sprint(v))
	}
}

// field is a member's type and its name in a query.
func field(t reflect.Type, name string, ec2 bool) (reflect.Type, string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if tagged, _, _ := strings.Cut(f.Tag.Get("aws"), ","); tagged != name {
			continue
		}
		if as := f.Tag.Get("query"); ec2 && as != "" {
			return f.Type, as
		}
		if ec2 {
			return f.Type, strings.ToUpper(name[:1]) + name[1:]
		}
		return f.Type, name
	}
	return nil, name
}
