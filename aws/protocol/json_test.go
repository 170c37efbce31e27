package protocol_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"fargo/aws/ecs"
	"fargo/aws/protocol"
)

func TestJSONAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		out  any
		want string
	}{
		{"nothing", (*everything)(nil), `{}`},
		{"absent members", &everything{}, `{}`},
		{"empty lists and maps", &everything{Texts: []string{}, Pairs: map[string]string{}}, `{"texts":[],"pairs":{}}`},
		{"milliseconds", &everything{When: new(time.UnixMilli(1700000000120))}, `{"when":1700000000.12}`},
		{"whole seconds", &everything{When: new(time.Unix(1700000000, 999))}, `{"when":1700000000}`},
		{"not finite", &everything{Double: new(math.Inf(-1)), Single: new(float32(math.NaN()))}, `{"single":"NaN","double":"-Infinity"}`},
		{"whole number", &everything{Double: new(-9007199254740991.0), Single: new(float32(123456789))}, `{"single":123456790,"double":-9007199254740991}`},
		{"large number", &everything{Double: new(1e20)}, `{"double":100000000000000000000}`},
		{"larger number", &everything{Double: new(1e21)}, `{"double":1e+21}`},
		{"zero below", &everything{Double: new(math.Copysign(0, -1))}, `{"double":-0}`},
		{"fraction", &everything{Double: new(2.5)}, `{"double":2.5}`},
		{"blob", &everything{Raw: []byte("hi\x00")}, `{"raw":"aGkA"}`},
		{"text", &everything{Text: new("a\"\\\n\x01<é\xff")}, `{"text":"a\"\\\n\u0001<é` + "\ufffd" + `"}`},
		{"maps in order", &everything{Pairs: map[string]string{"b": "2", "a": "1"}}, `{"pairs":{"a":"1","b":"2"}}`},
		{"enum", &everything{Color: "RED", Named: map[color]part{"GREEN": {Key: new("k")}}}, `{"color":"RED","named":{"GREEN":{"key":"k"}}}`},
	} {
		t.Run(c.name, func(t *testing.T) { equal(t, answer(t, "json", c.out), c.want) })
	}
}

// Source: ECS developer guide, "Amazon ECS task state change events".
func TestEventDetail(t *testing.T) {
	at := time.UnixMilli(1700000000120)
	got, err := protocol.EventDetail(&everything{Text: new("a"), When: &at, Times: []time.Time{at}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, string(got), `{"text":"a","when":"2023-11-14T22:13:20.120Z","times":["2023-11-14T22:13:20.120Z"]}`)
}

func TestJSONRequests(t *testing.T) {
	var in everything
	decode(t, "json", ` {"text":"a\u00e9\ud83d\ude00\n", "unknown":{"a":[1,true,null,"x"]}, "small":7.9, "large":1e3,
		"when":1700000000.5, "double":"Infinity", "raw":"aGk=", "colors":["RED"], "inner":{"key":"k"},
		"pairs":{"a":"b"}, "flag":null, "texts":[], "document":{"n":12345678901234567890}} `, &in)
	if *in.Text != "aé😀\n" || *in.Small != 7 || *in.Large != 1000 || in.When.UnixMilli() != 1700000000500 ||
		!math.IsInf(*in.Double, 1) || string(in.Raw) != "hi" || in.Colors[0] != "RED" || *in.Inner.Key != "k" ||
		in.Pairs["a"] != "b" || in.Flag != nil || in.Texts == nil {
		t.Errorf("decoded %+v", in)
	}
	equal(t, answer(t, "json", &everything{Document: in.Document}), `{"document":{"n":12345678901234567890}}`)
	decode(t, "json", "", &in)
}

func TestJSONRefusals(t *testing.T) {
	for body, want := range map[string]string{
		`{`:                                   "",
		`{"text":"a"} x`:                      "",
		`{"text":"a",}`:                       "",
		`{"text":tru}`:                        "",
		`{"small":01}`:                        "",
		`{"text":"` + "\n" + `"}`:             "",
		`[]`:                                  "Start of list found where not expected",
		`"a"`:                                 "Expected null",
		`{"text":1}`:                          "NUMBER_VALUE can not be converted to a String",
		`{"text":true}`:                       "TRUE_VALUE can not be converted to a String",
		`{"text":{}}`:                         "Start of structure or map found where not expected.",
		`{"text":[]}`:                         "Start of list found where not expected",
		`{"texts":"a"}`:                       "Expected list or null",
		`{"pairs":3}`:                         "Expected map or null",
		`{"small":"7"}`:                       "STRING_VALUE can not be converted to an Integer",
		`{"large":"7"}`:                       "STRING_VALUE can not be converted to a Long",
		`{"small":3000000000}`:                "3000000000 is out of range",
		`{"flag":"true"}`:                     "STRING_VALUE can not be converted to a Boolean",
		`{"when":"2020-01-01"}`:               "STRING_VALUE can not be converted to milliseconds since epoch",
		`{"when":1e300}`:                      "1e300 is out of range",
		`{"raw":"%"}`:                         "Unable to decode Base64 value",
		strings.Repeat(`{"again":`, 200):      "The request is nested too deeply.",
		strings.Repeat(`[`, 100000):           "Start of list found where not expected",
		`{"x":` + strings.Repeat(`[`, 100000): "The request is nested too deeply.",
		`{"parts":[{}` + strings.Repeat(`,{}`, 100_000) + `]}`:         "The request has too many items.",
		`{"x":[0` + strings.Repeat(`,0`, 100_000) + `]}`:               "The request has too many items.",
		`{"pairs":{"a":""` + strings.Repeat(`,"a":""`, 100_000) + `}}`: "The request has too many items.",
		`{"document":[` + strings.Repeat(`[[],[]],`, 40_000) + `0]}`:   "The request has too many items.",
		`{"large":1` + strings.Repeat("0", 1_000_000) + `}`:            "1" + strings.Repeat("0", 99) + " is out of range",
	} {
		var e *protocol.Error
		if err := protocol.For("json").Decode(request(body), &everything{}); !errors.As(err, &e) {
			t.Errorf("%.40s: %v", body, err)
		} else if e.Code != "SerializationException" || e.Message != want {
			t.Errorf("%.40s: %v, want %q", body, e, want)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	a := encodeError("json", protocol.Errorf("NoSuchThing", "no %q", "x").WithField("thing", map[string]int{"a": 1}).WithStatus(404))
	equal(t, string(a.Body), `{"__type":"NoSuchThingException","message":"no \"x\"","thing":{"a":1}}`)
	if a.Status != 404 || a.Header.Get("x-amzn-query-error") != "NoSuchThing;Sender" ||
		a.Header.Get("Content-Type") != "application/x-amz-json-1.1" || a.Header.Get("x-amzn-RequestId") == "" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	equal(t, string(encodeError("json", protocol.Errorf("NotFound", "m")).Body), `{"__type":"NotFound","message":"m"}`)
	equal(t, string(encodeError("json", protocol.Errorf("X", "m").WithField("f", func() {})).Body), `{"__type":"X","message":"m"}`)
}

// describeTasks is an answer of the size real ones have, 2.5 KB.
func describeTasks() *ecs.DescribeTasksOutput {
	now := time.UnixMilli(1700000000123)
	arn := "arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef"
	container := ecs.Container{
		ContainerArn: new("arn:aws:ecs:us-east-1:123456789012:container/default/0123456789abcdef/1f2e3d4c-aaaa-bbbb-cccc-0123456789ab"),
		TaskArn:      &arn, Name: new("web"), Image: new("123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1.2.3"),
		ImageDigest: new("sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"), RuntimeId: new("0123456789abcdef-527074092"),
		LastStatus: new("RUNNING"), NetworkBindings: []ecs.NetworkBinding{},
		NetworkInterfaces: []ecs.NetworkInterface{{AttachmentId: new("d0a7c9f1-0000-1111-2222-333344445555"), PrivateIpv4Address: new("172.31.5.17")}},
		HealthStatus:      ecs.HealthStatusUnknown, ManagedAgents: []ecs.ManagedAgent{}, Cpu: new("256"), Memory: new("512"),
	}
	detail := func(name, value string) ecs.KeyValuePair { return ecs.KeyValuePair{Name: &name, Value: &value} }
	return &ecs.DescribeTasksOutput{Failures: []ecs.Failure{}, Tasks: []ecs.Task{{
		Attachments: []ecs.Attachment{{
			Id: new("d0a7c9f1-0000-1111-2222-333344445555"), Type: new("ElasticNetworkInterface"), Status: new("ATTACHED"),
			Details: []ecs.KeyValuePair{
				detail("subnetId", "subnet-0123456789abcdef0"), detail("networkInterfaceId", "eni-0123456789abcdef0"),
				detail("macAddress", "0a:58:a9:fe:ac:02"), detail("privateDnsName", "ip-172-31-5-17.ec2.internal"), detail("privateIPv4Address", "172.31.5.17"),
			},
		}},
		Attributes: []ecs.Attribute{{Name: new("ecs.cpu-architecture"), Value: new("x86_64")}}, AvailabilityZone: new("us-east-1a"),
		ClusterArn: new("arn:aws:ecs:us-east-1:123456789012:cluster/default"), Connectivity: ecs.ConnectivityConnected, ConnectivityAt: &now,
		Containers: []ecs.Container{container, container}, Cpu: new("256"), CreatedAt: &now, DesiredStatus: new("RUNNING"), EnableExecuteCommand: new(false),
		Group: new("service:web"), HealthStatus: ecs.HealthStatusUnknown, LastStatus: new("RUNNING"), LaunchType: ecs.LaunchTypeFargate, Memory: new("512"),
		Overrides:       &ecs.TaskOverride{ContainerOverrides: []ecs.ContainerOverride{{Name: new("web")}}, InferenceAcceleratorOverrides: []ecs.InferenceAcceleratorOverride{}},
		PlatformVersion: new("1.4.0"), PlatformFamily: new("Linux"), PullStartedAt: &now, PullStoppedAt: &now, StartedAt: &now, StartedBy: new("ecs-svc/0123456789012345678"),
		Tags: []ecs.Tag{}, TaskArn: &arn, TaskDefinitionArn: new("arn:aws:ecs:us-east-1:123456789012:task-definition/web:42"), Version: new(int64(4)),
		EphemeralStorage: &ecs.EphemeralStorage{SizeInGiB: new(int32(20))},
	}}}
}

func BenchmarkEncodeDescribeTasks(b *testing.B) {
	out, r, codec := describeTasks(), request(""), protocol.For("json")
	a := &protocol.Answer{Header: map[string][]string{}}
	for b.Loop() {
		a.Body = a.Body[:0]
		if err := codec.Encode(r, out, a); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(a.Body)))
	b.ReportAllocs()
}

func BenchmarkDecodeRunTask(b *testing.B) {
	r, codec := request(`{"cluster":"default","taskDefinition":"web:42","count":2,"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-0123456789abcdef0"],"securityGroups":["sg-0123456789abcdef0"],"assignPublicIp":"ENABLED"}},"tags":[{"key":"a","value":"b"}]}`), protocol.For("json")
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.Decode(r, new(ecs.RunTaskInput)); err != nil {
			b.Fatal(err)
		}
	}
}
