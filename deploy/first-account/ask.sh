#!/bin/sh
# Asks the account of the stack in stack.yaml, as its role, and writes what it answers (docs/first-account.md). With
# PATCHTIDE_CONTRACT_RUN something else of the tests is run than the questions; what is said besides goes to `go test`.
set -eu
stack=${PATCHTIDE_CONTRACT_STACK:-patchtide-first-account}
: "${PATCHTIDE_CONTRACT_EXTERNAL_ID:?is not set: the ExternalId that the stack was made with}"
cd "$(dirname "$0")/../.."
region=${AWS_REGION:-$(aws configure get region || true)}
: "${region:?set AWS_REGION to the region of the stack}"
export AWS_REGION="$region" AWS_DEFAULT_REGION="$region" # the second is what version 1 of the command line reads

output() {
  aws cloudformation describe-stacks --region "$region" --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

role=$(output Role)
test -n "$role" || {
  echo "the stack $stack in $region has no output Role: deploy deploy/first-account/stack.yaml first" >&2
  exit 1
}
PATCHTIDE_CONTRACT_ROLE=$role
PATCHTIDE_CONTRACT_PROFILE=$(output Profile)
PATCHTIDE_CONTRACT_MANAGED_INSTANCE=$(output Managed)
PATCHTIDE_CONTRACT_IMAGE=$(output Image)
PATCHTIDE_CONTRACT_ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
PATCHTIDE_CONTRACT_VPC=$(aws ec2 describe-vpcs --region "$region" --filters Name=is-default,Values=true \
  --query 'Vpcs[0].VpcId' --output text)
case $PATCHTIDE_CONTRACT_VPC in
vpc-*) ;;
*)
  echo "$region has no default VPC, into whose subnets machines would be launched: aws ec2 create-default-vpc" >&2
  exit 1
  ;;
esac
PATCHTIDE_CONTRACT_ZONES=$(aws ec2 describe-availability-zones --region "$region" --output text \
  --query "join(',', (AvailabilityZones[?ZoneType=='availability-zone'].ZoneName)[:2])")
PATCHTIDE_CONTRACT_ANSWERS=${PATCHTIDE_CONTRACT_ANSWERS:-$PWD/internal/awssim/contract/answers}
export PATCHTIDE_CONTRACT_ROLE PATCHTIDE_CONTRACT_PROFILE PATCHTIDE_CONTRACT_MANAGED_INSTANCE PATCHTIDE_CONTRACT_IMAGE \
  PATCHTIDE_CONTRACT_ACCOUNT PATCHTIDE_CONTRACT_VPC PATCHTIDE_CONTRACT_ZONES PATCHTIDE_CONTRACT_ANSWERS

# Everything from here is done as the role.
assume() {
  aws sts assume-role --region "$region" --role-arn "$role" --role-session-name first-account \
    --duration-seconds "$1" --external-id "$PATCHTIDE_CONTRACT_EXTERNAL_ID" --output text \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]'
}
# Who has a role already, as by single sign-on, gets another for an hour only.
keys=$(assume 14400 2>/dev/null) || {
  echo "the role is had for an hour only: see that it is enough, or ask as a user" >&2
  keys=$(assume 3600)
}
tab=$(printf '\t')
AWS_ACCESS_KEY_ID=${keys%%"$tab"*}
keys=${keys#*"$tab"}
AWS_SECRET_ACCESS_KEY=${keys%%"$tab"*}
AWS_SESSION_TOKEN=${keys#*"$tab"}
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
unset AWS_PROFILE

echo "asking account $PATCHTIDE_CONTRACT_ACCOUNT in $region; answers go to $PATCHTIDE_CONTRACT_ANSWERS"
exec go test ./internal/awssim/contract -count=1 -v -timeout 3h -parallel "${PATCHTIDE_CONTRACT_PARALLEL:-12}" \
  -run "${PATCHTIDE_CONTRACT_RUN:-AWSKeepsTheContract/questions}" "$@"
