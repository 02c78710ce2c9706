package services

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// tellImageKind tells what an image is made for. What it was registered without EC2 does not tell.
func tellImageKind(view *types.Image, image *world.Image) {
	view.Architecture, view.BootMode = types.ArchitectureValues(image.Arch()), types.BootModeValues(image.BootMode)
	view.ProductCodes, view.UsageOperation = productCodes(image), aws.String(image.Billed())
	view.EnaSupport, view.SriovNetSupport = aws.Bool(!image.NoENA), sriov(image)
	if image.TPM {
		view.TpmSupport = types.TpmSupportValuesV20
	}
}

// tellKind tells what an instance has of its image, and by what it has booted.
func tellKind(view *types.Instance, image *world.Image) {
	view.Architecture, view.BootMode = types.ArchitectureValues(image.Arch()), types.BootModeValues(image.BootMode)
	view.CurrentInstanceBootMode = types.InstanceBootModeValues(image.BootsBy())
	view.ProductCodes, view.UsageOperation = productCodes(image), aws.String(image.Billed())
	view.EnaSupport, view.SriovNetSupport = aws.Bool(!image.NoENA), sriov(image)
	if image.TPM {
		view.TpmSupport = aws.String(string(types.TpmSupportValuesV20))
	}
}

func productCodes(image *world.Image) []types.ProductCode {
	if image.ProductCode == "" {
		return nil
	}
	return []types.ProductCode{
		{ProductCodeId: aws.String(image.ProductCode), ProductCodeType: types.ProductCodeValuesMarketplace},
	}
}

func sriov(image *world.Image) *string {
	if image.SRIOV {
		return aws.String("simple")
	}
	return nil
}
