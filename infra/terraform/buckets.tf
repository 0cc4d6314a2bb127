# Lake and outbox: versioned, encrypted each with its own key, reachable over TLS alone.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}

locals {
  buckets = toset(["lake", "outbox"])
}

resource "aws_s3_bucket" "strata" {
  for_each = local.buckets
  bucket   = "${var.name}-strata-${each.key}"
}

resource "aws_s3_bucket_versioning" "strata" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.strata[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

# Two keys: whoever may decrypt an audience file may not decrypt the lake.
resource "aws_kms_key" "strata" {
  for_each            = local.buckets
  description         = "${var.name} strata ${each.key}"
  enable_key_rotation = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "strata" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.strata[each.key].id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.strata[each.key].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "strata" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.strata[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Parts of uploads that a killed run left cost money and show in no listing.
resource "aws_s3_bucket_lifecycle_configuration" "strata" {
  for_each   = local.buckets
  depends_on = [aws_s3_bucket_versioning.strata]
  bucket     = aws_s3_bucket.strata[each.key].id

  rule {
    id     = "abort-dangling-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  rule {
    id     = "forget-old-versions"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = var.old_versions_days
    }
    expiration {
      expired_object_delete_marker = true
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.buckets

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.strata[each.key].arn, "${aws_s3_bucket.strata[each.key].arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # A link that was signed and passed on is worth nothing after the longest life that a vendor's profile allows.
  statement {
    sid       = "NoOldSignatures"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["${aws_s3_bucket.strata[each.key].arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "NumericGreaterThan"
      variable = "s3:signatureAge"
      values   = [tostring(var.link_minutes * 60000)]
    }
  }
}

resource "aws_s3_bucket_policy" "strata" {
  for_each   = local.buckets
  depends_on = [aws_s3_bucket_public_access_block.strata]
  bucket     = aws_s3_bucket.strata[each.key].id
  policy     = data.aws_iam_policy_document.bucket[each.key].json
}

# Who read and wrote which object, told to another account: a vendor's reading of a file is a disclosure to prove.
resource "aws_cloudtrail" "objects" {
  name                       = "${var.name}-strata-objects"
  s3_bucket_name             = var.audit_bucket
  enable_log_file_validation = true

  event_selector {
    read_write_type           = "All"
    include_management_events = false
    data_resource {
      type   = "AWS::S3::Object"
      values = [for bucket in aws_s3_bucket.strata : "${bucket.arn}/"]
    }
  }
}

output "roots" {
  description = "STRATA_LAKE and STRATA_OUTBOX."
  value       = { for name, bucket in aws_s3_bucket.strata : name => "s3://${bucket.bucket}" }
}
