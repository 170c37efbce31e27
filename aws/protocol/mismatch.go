package protocol

import (
	"reflect"
	"strings"
)

// mismatchWords are what a service says when a value in a request is of another kind
// than its shape. There are two sets, of two ages of AWS's framework.
type mismatchWords interface {
	// object and list refuse what begins where the shape has no such thing.
	object() error
	list(s *shape) error
	// scalar refuses a STRING_VALUE, NUMBER_VALUE, DECIMAL_VALUE, TRUE_VALUE or
	// FALSE_VALUE for a member, or for an item if the field has no name.
	scalar(token string, s *shape, f *field) error
}

// mismatches gives a service's words.
func (s *Service) mismatches() mismatchWords {
	if s.Name == "ecs" {
		return olderWords{"com.amazonaws.madison.frontend."}
	}
	return newerWords{}
}

// newerWords are those of most services. Source: github.com/aws/aws-sdk-js-v3/issues/4080
// (CloudWatch Logs), github.com/floci-io/floci/pull/2686 (measured of EventBridge
// Scheduler).
type newerWords struct{}

func (newerWords) object() error {
	return serialization("Start of structure or map found where not expected.")
}

func (newerWords) list(*shape) error { return serialization("Start of list found where not expected") }

func (newerWords) scalar(token string, s *shape, _ *field) error {
	if token == "DECIMAL_VALUE" {
		token = "NUMBER_VALUE"
	}
	switch s.kind {
	case kindStructure:
		return serialization("Expected null")
	case kindList:
		return serialization("Expected list or null")
	case kindMap:
		return serialization("Expected map or null")
	case kindTimestamp:
		return serialization("%s can not be converted to milliseconds since epoch", token)
	}
	article := "a"
	if s.kind == kindInteger && s.typ.Kind() == reflect.Int32 {
		article = "an"
	}
	return serialization("%s can not be converted to %s %s", token, article, s.javaClass())
}

// olderWords are those of services that have not changed since DynamoDB's. Source:
// github.com/aws-actions/amazon-ecs-deploy-task-definition, issues 587 and 610; and
// what was measured of DynamoDB, github.com/architect/dynalite, test/helpers.js.
type olderWords struct {
	classes string // the Java package of the service's structures
}

func (olderWords) object() error {
	return serialization("Start of structure or map found where not expected")
}

func (w olderWords) list(s *shape) error {
	return serialization("Unrecognized collection type %s", w.class(s))
}

func (w olderWords) class(s *shape) string {
	switch s.kind {
	case kindStructure:
		name, input := strings.CutSuffix(s.typ.Name(), "Input")
		if input {
			name += "Request"
		}
		return "class " + w.classes + name
	case kindMap:
		return "java.util.Map<java.lang.String, " + strings.TrimPrefix(w.class(s.elem), "class ") + ">"
	case kindList:
		return "java.util.List<" + strings.TrimPrefix(w.class(s.elem), "class ") + ">"
	case kindBlob:
		return "class java.nio.ByteBuffer"
	case kindTimestamp:
		return "class java.util.Date"
	}
	return "class java.lang." + s.javaClass()
}

func (olderWords) scalar(token string, s *shape, f *field) error {
	switch s.kind {
	case kindStructure, kindList, kindMap:
		if f.name == "" {
			return serialization("Unexpected value type in payload")
		}
		return serialization("Unexpected field type")
	case kindBoolean:
		if token == "STRING_VALUE" {
			return serialization("Unexpected token received from parser")
		}
	case kindTimestamp:
		return serialization("%s can not be converted to milliseconds since epoch", token)
	}
	return serialization("%s cannot be converted to %s", token, s.javaClass())
}

// javaClass is the class of a scalar in the services' own language.
func (s *shape) javaClass() string {
	switch s.kind {
	case kindInteger:
		if s.typ.Kind() == reflect.Int64 {
			return "Long"
		}
		return "Integer"
	case kindFloat:
		if s.typ.Kind() == reflect.Float64 {
			return "Double"
		}
		return "Float"
	case kindBoolean:
		return "Boolean"
	case kindBlob:
		return "Blob"
	}
	return "String"
}
