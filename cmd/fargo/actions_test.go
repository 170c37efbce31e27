package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/api"
	"fargo/aws/protocol"
	"fargo/store"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/actions.txt and the texts of testdata/top and testdata/why anew")

// askedByClients are operations that are not implemented but stand for what
// clients of the registry do.
var askedByClients = []string{"ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"}

// TestActionsAreComplete: every operation that is implemented has a row, every row
// an operation, and a row reads the input of its own operation.
func TestActionsAreComplete(t *testing.T) {
	tables := actions(nil)
	for _, m := range services(dependencies{}) {
		table := tables[m.Service.Name]
		if table == nil {
			t.Errorf("%s has no actions", m.Service.Name)
			continue
		}
		if table.Prefix != m.Service.SigningName && table.Prefix != "cloudwatch" { // which is signed as "monitoring"
			t.Errorf("the actions of %s begin with %q, its requests are signed for %q", m.Service.Name, table.Prefix, m.Service.SigningName)
		}
		seen := map[string]bool{}
		for _, op := range m.Service.Operations {
			row, name := table.Rows[op.Name], m.Service.Name+":"+op.Name
			seen[op.Name] = true
			implemented := isImplemented(m, &op) || slices.Contains(askedByClients, name)
			if implemented != (row != nil) {
				t.Errorf("%s is implemented: %v; it has a row: %v", name, implemented, row != nil)
			}
			if row == nil || row.Input() == nil {
				continue
			}
			if want := reflect.TypeOf(op.Input()).Elem(); row.Input() != want {
				t.Errorf("the row of %s reads a %v, its input is a %v", name, row.Input(), want)
			}
		}
		for name := range table.Rows {
			if !seen[name] {
				t.Errorf("%s has no operation %s", m.Service.Name, name)
			}
		}
	}
}

func isImplemented(m api.Mounted, op *protocol.Operation) bool {
	if op.Bind == nil {
		return false
	}
	_, ok := op.Bind(m.Server)
	return ok
}

// eachRow calls f with every operation that has a row, in order, and what it asks
// for when its input has everything that it can have.
func eachRow(t *testing.T, f func(name string, row api.Row, asked []api.Access)) {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	tables := actions(nil)
	for _, m := range services(dependencies{}) {
		table := tables[m.Service.Name]
		for _, op := range m.Service.Operations {
			if row := table.Rows[op.Name]; row != nil {
				in := op.Input()
				fill(reflect.ValueOf(in).Elem(), op.Name, 0)
				f(m.Service.Name+" "+op.Name, row, table.Of(testCall(m.Service.Name, op.Name), db.View(), in))
			}
		}
	}
}

func testCall(service, operation string) *api.Call {
	return &api.Call{
		Service: service, Operation: operation, Account: "123456789012", Region: "us-east-1",
		Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/ann", PrincipalID: "AIDAANN"},
	}
}

// fill gives every field of an input a value that says which it is.
func fill(v reflect.Value, field string, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 8 { // shapes can hold themselves
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), field, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), v.Type().Field(i).Name, depth+1)
			}
		}
	case reflect.Slice:
		if depth < 8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), field, depth+1)
		}
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), reflect.ValueOf("value").Convert(v.Type().Elem()))
		}
	case reflect.String:
		v.SetString(sample(field))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	}
}

var (
	arnField = regexp.MustCompile(`^(.*?)Arns?$`)
	idField  = regexp.MustCompile(`^(Vpc|Subnet|Group|RouteTable|InternetGateway|Gateway|NetworkInterface|SecurityGroupRule|Allocation|SecondaryAllocation|Instance|NatGateway|EgressOnlyInternetGateway|VpcEndpoint|PrefixList|NetworkAcl|DhcpOptions|VpcPeeringConnection|Volume)Ids?$`)
	arnTypes = map[string]string{
		"ServiceDeployment": "ecs:us-east-1:123456789012:service-deployment/c/s/1", "ServiceRevision": "ecs:us-east-1:123456789012:service-revision/c/s/1",
		"LoadBalancer": "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/l/1", "Listener": "elasticloadbalancing:us-east-1:123456789012:listener/app/l/1/2",
		"Rule": "elasticloadbalancing:us-east-1:123456789012:listener-rule/app/l/1/2/3", "TargetGroup": "elasticloadbalancing:us-east-1:123456789012:targetgroup/g/1",
		"Certificate": "acm:us-east-1:123456789012:certificate/1", "Policy": "iam::123456789012:policy/p", "Role": "iam::123456789012:role/r",
	}
	idPrefixes = map[string]string{
		"Vpc": "vpc", "Subnet": "subnet", "Group": "sg", "RouteTable": "rtb", "InternetGateway": "igw", "Gateway": "igw",
		"NetworkInterface": "eni", "SecurityGroupRule": "sgr", "Allocation": "eipalloc", "Instance": "i",
		"SecondaryAllocation": "eipalloc", "NatGateway": "nat", "EgressOnlyInternetGateway": "eigw", "VpcEndpoint": "vpce", "PrefixList": "pl",
		"NetworkAcl": "acl", "DhcpOptions": "dopt", "VpcPeeringConnection": "pcx", "Volume": "vol",
	}
)

// sample is a value for a field.
func sample(field string) string {
	if m := arnField.FindStringSubmatch(field); m != nil {
		if known, ok := arnTypes[m[1]]; ok {
			return "arn:aws:" + known
		}
		return "arn:aws:x:us-east-1:123456789012:" + strings.ToLower(m[1]) + "/1"
	}
	if m := idField.FindStringSubmatch(field); m != nil {
		return idPrefixes[m[1]] + "-1"
	}
	switch field {
	case "Path":
		return "/path/"
	case "AliasName":
		return "alias/a"
	case "CopySource":
		return "source/key"
	case "Groups":
		return "sg-1"
	case "DeletionTaskId":
		return "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1"
	case "LogGroupIdentifier", "LogGroupIdentifiers":
		return "arn:aws:logs:us-east-1:123456789012:log-group:g"
	case "RegistryId", "RegistryIds":
		return "210987654321"
	}
	return strings.ToLower(field)
}

// TestActions shows what every operation asks for.
func TestActions(t *testing.T) {
	var out strings.Builder
	eachRow(t, func(name string, row api.Row, asked []api.Access) {
		out.WriteString(name)
		if row.IsInferred() {
			out.WriteString(" (inferred)")
		}
		out.WriteString("\n")
		if keys := row.Keys(); len(keys) > 0 {
			fmt.Fprintf(&out, "  keys %s\n", strings.Join(keys, " "))
		}
		if row.HasTags() {
			out.WriteString("  tags\n")
		}
		for _, a := range asked {
			fmt.Fprintf(&out, "  %s on %s", a.Action, strings.Join(a.Resources, " "))
			for _, key := range slices.Sorted(maps.Keys(a.Keys)) {
				fmt.Fprintf(&out, ", %s=%s", key, strings.Join(a.Keys[key], ","))
			}
			out.WriteString("\n")
		}
	})
	const file = "testdata/actions.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("%s (run with -rewrite to accept):\n%s", file, d)
	}
}

// documented is what AWS says of an operation.
type documented struct{ types, keys, also []string }

// reference reads testdata/authorization.txt.
func reference(t *testing.T) map[string]documented {
	t.Helper()
	text, err := os.ReadFile("testdata/authorization.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]documented{}
	for line := range strings.Lines(string(text)) {
		names, facts, ok := strings.Cut(line, ":")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		facts, also, _ := strings.Cut(facts, "+")
		types, keys, _ := strings.Cut(facts, ";")
		words := strings.Fields(names)
		for _, operation := range words[1:] {
			name := words[0] + " " + operation
			if _, twice := all[name]; twice {
				t.Errorf("%s is there twice", name)
			}
			all[name] = documented{strings.Fields(types), strings.Fields(keys), strings.Fields(also)}
		}
	}
	return all
}

// TestActionsAreAsDocumented: what AWS says of an operation is what its row asks
// for; what rests on nothing that AWS says is marked.
func TestActionsAreAsDocumented(t *testing.T) {
	known := reference(t)
	eachRow(t, func(name string, row api.Row, asked []api.Access) {
		says, ok := known[name]
		delete(known, name)
		if ok == row.IsInferred() {
			t.Errorf("%s is documented: %v; its row is marked as inferred: %v", name, ok, row.IsInferred())
		}
		if !ok {
			return
		}
		keys := lowered(row.Keys())
		if row.HasTags() {
			keys = append(keys, "rq")
		}
		if want := lowered(says.keys); !sameWords(keys, want) {
			t.Errorf("%s has the keys %v, AWS says %v", name, keys, want)
		}
		if len(asked) == 0 {
			if says.types[0] != "none" {
				t.Errorf("%s asks for nothing, AWS says %v", name, says.types)
			}
			return
		}
		checkTypes(t, name, asked[0].Resources, says.types)
		also := map[string]bool{}
		for _, a := range asked[1:] {
			also[a.Action] = true
		}
		if got := slices.Collect(maps.Keys(also)); !sameWords(got, says.also) {
			t.Errorf("%s asks for %v too, AWS says %v", name, got, says.also)
		}
	})
	for name := range known {
		t.Errorf("%s is documented and has no row", name)
	}
}

func checkTypes(t *testing.T, name string, resources, types []string) {
	t.Helper()
	if slices.Equal(types, []string{"named"}) {
		return
	}
	left := slices.Clone(types)
	for _, arn := range resources {
		kind := "*"
		if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
			kind = parts[5][:max(0, strings.IndexAny(parts[5], "/:"))]
		}
		if !slices.ContainsFunc(types, func(t string) bool { return strings.TrimSuffix(t, "?") == kind }) {
			t.Errorf("%s is on %s, AWS says %v", name, arn, types)
		}
		left = slices.DeleteFunc(left, func(t string) bool { return strings.TrimSuffix(t, "?") == kind })
	}
	for _, kind := range left {
		if !strings.HasSuffix(kind, "?") {
			t.Errorf("%s is on %v, AWS says also %s", name, resources, kind)
		}
	}
}

func lowered(words []string) []string {
	out := []string{}
	for _, w := range words {
		out = append(out, strings.ToLower(w))
	}
	return out
}

func sameWords(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// The input is not validated when it is asked what it needs: whatever is absent,
// and whatever is an empty element of a list, is no failure.
func TestActionsOfIncompleteInput(t *testing.T) {
	db, err := store.Open(context.Background(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	tables := actions(nil)
	for _, m := range services(dependencies{}) {
		table := tables[m.Service.Name]
		for _, op := range m.Service.Operations {
			row := table.Rows[op.Name]
			if row == nil {
				continue
			}
			hollow := op.Input()
			for i, v := 0, reflect.ValueOf(hollow).Elem(); i < v.NumField(); i++ {
				switch f := v.Field(i); f.Kind() {
				case reflect.Slice:
					f.Set(reflect.MakeSlice(f.Type(), 1, 1))
				case reflect.Pointer:
					f.Set(reflect.New(f.Type().Elem()))
				}
			}
			for _, in := range []any{op.Input(), hollow} {
				for _, a := range table.Of(testCall(m.Service.Name, op.Name), db.View(), in) {
					if len(a.Resources) == 0 {
						t.Errorf("%s asks for %s on nothing", op.Name, a.Action)
					}
				}
				for _, key := range row.Keys() {
					table.Values(testCall(m.Service.Name, op.Name), db.View(), in, key)
				}
			}
		}
	}
}
