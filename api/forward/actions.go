package forward

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"

	"fargo/api"
)

// Actions are what forwarded services ask IAM for: the action of the operation's name on
// the queue, topic or tables that the request names, or else on "*".
// Source: Service Authorization Reference, "Amazon SQS", "Amazon SNS", "Amazon DynamoDB".
var Actions = map[string]*api.Actions{
	"sqs": actions("sqs", sqsResources, map[string]string{
		"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
	}),
	"sns":      actions("sns", snsResources, map[string]string{"PublishBatch": "Publish"}),
	"dynamodb": {Prefix: "dynamodb", Other: api.AnyResource[api.Forwarded]().Instead(dynamoDBAccesses)},
}

func actions(service string, resources func(*api.Query, parameters) []string, as map[string]string) *api.Actions {
	return &api.Actions{Prefix: service, Other: api.AnyResource[api.Forwarded]().Instead(func(q *api.Query, in *api.Forwarded) []api.Access {
		name := q.Operation
		if other, ok := as[name]; ok {
			name = other
		}
		return []api.Access{{Action: service + ":" + name, Resources: resources(q, read(in))}}
	})}
}

// parameters are those of a request that matter here, with the path that it came to.
type parameters struct {
	path   string
	values map[string]json.RawMessage
}

// read reads a request's parameters, of either protocol. What cannot be read names nothing,
// nor does what is given twice: the other side might take the other one.
func read(in *api.Forwarded) parameters {
	p := parameters{path: in.Path, values: map[string]json.RawMessage{}}
	if in.Header.Get("X-Amz-Target") != "" {
		_ = json.Unmarshal(in.Body, &p.values)
		return p
	}
	form, _ := url.ParseQuery(string(in.Body))
	for name, values := range form {
		if len(values) == 1 {
			p.values[name], _ = json.Marshal(values[0])
		}
	}
	return p
}

// text gives the first of some parameters that is there and a string.
func (p parameters) text(names ...string) (s string) {
	for _, name := range names {
		if raw, ok := p.values[name]; ok && json.Unmarshal(raw, &s) == nil && s != "" {
			return s
		}
	}
	return ""
}

// sqsResources are the queues that a request names: in its parameters, and in its path, as
// older clients do.
func sqsResources(q *api.Query, p parameters) (queues []string) {
	if name := p.text("QueueName"); name != "" {
		queues = append(queues, q.ARN("sqs", name))
	}
	for _, at := range []string{p.text("QueueUrl"), strings.Trim(p.path, "/")} {
		if at == "" {
			continue
		}
		if arn := q.ARN("sqs", path.Base(at)); !slices.Contains(queues, arn) {
			queues = append(queues, arn)
		}
	}
	return queues
}

func snsResources(q *api.Query, p parameters) []string {
	if arn := p.text("TopicArn", "TargetArn", "ResourceArn"); arn != "" {
		return []string{arn}
	}
	if arn := p.text("SubscriptionArn"); strings.Count(arn, ":") == 6 {
		return []string{arn[:strings.LastIndexByte(arn, ':')]}
	}
	if name := p.text("Name"); name != "" {
		return []string{q.ARN("sns", name)}
	}
	return nil
}

// inTransaction are the actions of what a transaction is made of.
var inTransaction = map[string]string{
	"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}

func dynamoDBAccesses(q *api.Query, in *api.Forwarded) []api.Access {
	p := read(in)
	var items []map[string]struct{ TableName string }
	if json.Unmarshal(p.values["TransactItems"], &items) == nil && len(items) > 0 {
		var all []api.Access
		for _, item := range items {
			for kind, of := range item {
				all = append(all, api.Access{Action: "dynamodb:" + inTransaction[kind], Resources: []string{table(q, of.TableName)}})
			}
		}
		return all
	}
	access := api.Access{Action: "dynamodb:" + q.Operation}
	var tables map[string]json.RawMessage
	switch name, index := p.text("TableName"), p.text("IndexName"); {
	case name != "" && index != "":
		access.Resources = []string{table(q, name) + "/index/" + index}
	case name != "":
		access.Resources = []string{table(q, name)}
	case json.Unmarshal(p.values["RequestItems"], &tables) == nil:
		for name := range tables {
			access.Resources = append(access.Resources, table(q, name))
		}
	default:
		access.Resources = api.Given(new(p.text("ResourceArn", "TableArn")))
	}
	return []api.Access{access}
}

// table is the ARN of a table that is named by it or by its name.
func table(q *api.Query, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return q.ARN("dynamodb", "table/"+name)
}
