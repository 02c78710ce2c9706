// Package api is the seam between the simulated AWS's wire and its services: a service registers one function per
// operation, with the AWS SDK's own input and output types, and never sees HTTP. Whatever a service does not model is
// refused by name, so that a test never passes because a parameter was silently ignored.
package api

import (
	"fmt"
	"net/http"
	"time"
)

// Call says who asked for what, where and when.
type Call struct {
	Account   string // 12 digits: the account of the credentials that signed
	Region    string // from the credential scope, for example "ap-northeast-1"
	Service   string // SigV4 scope name: ssm, autoscaling, ec2, elasticloadbalancing, monitoring, sts, s3, sns
	Operation string // for example "EnterStandby"
	Caller    string // ARN of the user or assumed role that signed
	Time      time.Time
}

// Error is an error as AWS reports it. Handlers return it; any other error becomes an InternalFailure of status 500.
type Error struct {
	Code    string // for example "ValidationError"
	Message string
	Status  int // HTTP status; 0 means 400

	Details map[string]string // further elements of S3's error document
	Headers map[string]string // further headers of S3's reply
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus is the status to answer with.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf builds an Error of status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NotModelledCode is the code of everything this simulator refuses because it does not model it. It is no AWS code on
// purpose: a client that meets it has found a gap here, not a behaviour of AWS.
const NotModelledCode = "NotModelled"

// NotModelled builds the error for something the simulator does not model; what names the operation, parameter, filter
// or value. Status 501 is one that the SDK does not retry.
func NotModelled(format string, args ...any) *Error {
	return &Error{
		Code:    NotModelledCode,
		Message: "the simulated AWS does not model " + fmt.Sprintf(format, args...),
		Status:  http.StatusNotImplemented,
	}
}
