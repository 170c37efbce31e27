package ec2

import (
	"errors"

	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// unsuccessful says why one of several resources could not be made or deleted.
func unsuccessful(id string, err error) ec2.UnsuccessfulItem {
	item := ec2.UnsuccessfulItem{ResourceId: &id, Error: &ec2.UnsuccessfulItemError{Code: new("InternalError"), Message: new(err.Error())}}
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		item.Error.Code, item.Error.Message = &e.Code, &e.Message
	}
	return item
}
