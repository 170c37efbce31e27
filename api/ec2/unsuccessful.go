package ec2

import (
	"errors"

	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// unsuccessful says why one of several resources could not be made or deleted.
func unsuccessful(id string, err error) ec2.UnsuccessfulItem {
	var e *protocol.Error
	if !errors.As(err, &e) {
		e = &protocol.Error{Code: "InternalError", Message: err.Error()}
	}
	return ec2.UnsuccessfulItem{ResourceId: &id, Error: &ec2.UnsuccessfulItemError{Code: &e.Code, Message: &e.Message}}
}
