package aws

import (
	"errors"
	"maps"
	"net"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// throttleCodes are the SDK's, and those that a service has of its own for what passes by waiting: Systems Manager's
// TooManyUpdates, and Auto Scaling's ResourceInUse while another call changes the same group.
var throttleCodes = append(slices.Collect(maps.Keys(retry.DefaultThrottleErrorCodes)),
	"AutomationExecutionLimitExceeded", "AutomationExecutionLimitExceededException", "TooManyUpdates",
	"ResourceContention", "ResourceContentionFault", "ResourceInUse", "ResourceInUseFault",
	"ScalingActivityInProgress", "ScalingActivityInProgressFault",
)

var deniedCodes = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}

// unrecognizedCodes say that who calls is not known there, which no policy of the role mends.
var unrecognizedCodes = []string{
	"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
	"InvalidSignatureException", "OptInRequired", "RegionDisabledException",
}

// passingCodes are those of what another attempt mends: credentials that ran out on the way, a clock, a server.
var passingCodes = []string{
	"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InternalFailure", "InternalError", "InternalServerError",
	"ServiceUnavailable", "ServiceUnavailableException", "Unavailable",
}

// notFoundCodes say that what the call names is not there. Automation and EC2 spell some of theirs in two ways.
var notFoundCodes = []string{
	"InvalidInstanceID.NotFound", "InvalidSnapshot.NotFound", "InvalidVolume.NotFound",
	"InvalidNetworkInterfaceID.NotFound",
	"InvalidReplaceRootVolumeTaskId.NotFound", "InvalidReplaceRootVolumeTaskID.NotFound",
	"TargetGroupNotFound",
	"AutomationExecutionNotFoundException", "AutomationExecutionNotFound",
	"InvocationDoesNotExist", // for a moment after SendCommand, and again when the history of 30 days is over
	"InvalidCommandId", "InvalidDocument", "InvalidDocumentVersion",
	"DoesNotExistException", // a maintenance window
	"AssociationDoesNotExist", "DeploymentDoesNotExistException",
	"NotFoundException", // a key
}

// Codes that some call's caller must tell apart from other refusals.
const (
	// CodeValidation is what Auto Scaling says of requests that are wrong for good, of states in passing, and of what is
	// done already; and CloudFormation, of a stack that is gone.
	CodeValidation = "ValidationError"
	// CodeDryRun says that the call would have been allowed.
	CodeDryRun = "DryRunOperationException"

	CodeInstanceState  = "IncorrectInstanceState"       // it is just changing its state
	CodeNoCapacity     = "InsufficientInstanceCapacity" // of the instance's type, in its zone, now
	CodeRestoring      = "IncorrectState"               // another replacement of the root volume is under way
	CodeSnapshotInUse  = "InvalidSnapshot.InUse"
	CodeVolumeInUse    = "VolumeInUse"
	CodeSnapshotRate   = "SnapshotCreationPerVolumeRateExceeded"
	CodeSnapshotLimit  = "ConcurrentSnapshotLimitExceeded"
	CodeNotRegistered  = "InvalidTarget"     // the target group does not know the target
	CodeAgentNotUsable = "InvalidInstanceId" // Systems Manager: the agent takes no command now

	CodeImageName = "InvalidAMIName.Duplicate"
	CodeNoImage   = "InvalidAMIID.NotFound"
	CodeImageGone = "InvalidAMIID.Unavailable"
	CodeProtected = "OperationNotPermitted"
	// CodeNotShared is EC2's answer to sharing an image whose snapshot AWS's own key encrypts.
	CodeNotShared = "InvalidParameter"
	// CodeImageStorage is its answer to copying an image of which the account may not read the snapshot.
	CodeImageStorage = "InvalidRequest"
	CodeNoVersion    = "InvalidLaunchTemplateId.VersionNotFound"
	CodeNoSuchNode   = "InvalidResourceId" // Systems Manager has no such resource to be tagged: the node is deregistered

	codeInvalidDocument   = "InvalidDocument"   // Systems Manager knows no such document
	codeInvalidParameters = "InvalidParameters" // it does not take such parameters

	CodeAlreadyExists     = "AlreadyExistsException" // the patch group belongs to another baseline
	CodeDocumentExists    = "DocumentAlreadyExists"
	CodeDuplicateDocument = "DuplicateDocumentContent"

	CodeDeploymentNotStarted = "DeploymentNotStartedException"
	CodeDeploymentOther      = "InvalidDeploymentInstanceTypeException" // it is one of ECS or Lambda
)

// codesExecutionOver are the answers to stopping an execution that has ended.
var codesExecutionOver = []string{"InvalidAutomationStatusUpdateException", "InvalidAutomationStatusUpdate"}

// codesTokenUsed are the answers to a client token that has been used for a request that differs: what it started
// exists.
var codesTokenUsed = []string{
	"IdempotentParameterMismatch", "IdempotentParameterMismatchException", "DuplicateClientToken",
}

// HasNoEndpoint reports whether the service has no endpoint in the region, as new and isolated regions lack some: its
// name does not resolve.
func HasNoEndpoint(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// HasCode reports whether AWS answered with one of the codes.
func HasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// IsNotFound reports whether AWS answered that what the call names is not there.
func IsNotFound(err error) bool { return HasCode(err, notFoundCodes...) }

// IsTokenUsed reports whether AWS answered that the client token has been used: what an earlier attempt started exists.
func IsTokenUsed(err error) bool { return HasCode(err, codesTokenUsed...) }

// IsExecutionOver reports whether AWS answered that the execution has ended already.
func IsExecutionOver(err error) bool { return HasCode(err, codesExecutionOver...) }
