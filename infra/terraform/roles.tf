# Who may do what: the worker writes and cannot delete what is published, the sweeper deletes, a vendor reads its own.

data "aws_iam_policy_document" "assumed_by_worker" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [var.worker_principal]
    }
  }
}

data "aws_iam_policy_document" "worker" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [for bucket in aws_s3_bucket.strata : bucket.arn]
  }

  statement {
    sid       = "ReadAndWrite"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = [for bucket in aws_s3_bucket.strata : "${bucket.arn}/*"]
  }

  # The probe of conditional writes removes its own object; nothing else is ever deleted by a run.
  statement {
    sid       = "RemoveTheProbe"
    actions   = ["s3:DeleteObject"]
    resources = [for bucket in aws_s3_bucket.strata : "${bucket.arn}/*.strata-*"]
  }

  statement {
    sid       = "Keys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [for key in aws_kms_key.strata : key.arn]
  }
}

resource "aws_iam_role" "worker" {
  name               = "${var.name}-strata-worker"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_worker.json
}

resource "aws_iam_role_policy" "worker" {
  name   = "write-but-not-delete"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

# `strata gc` and `strata keys rotate`, which deletes raw files under the old key, run under this role alone, by a
# person or a schedule of its own.
data "aws_iam_policy_document" "sweeper" {
  source_policy_documents = [data.aws_iam_policy_document.worker.json]

  statement {
    sid       = "Sweep"
    actions   = ["s3:DeleteObject"]
    resources = [for bucket in aws_s3_bucket.strata : "${bucket.arn}/*"]
  }

  statement {
    sid       = "KeepTheAccessLog"
    effect    = "Deny"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = [for bucket in aws_s3_bucket.strata : "${bucket.arn}/*audit/access/*"]
  }
}

resource "aws_iam_role" "sweeper" {
  name               = "${var.name}-strata-sweeper"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_worker.json
}

resource "aws_iam_role_policy" "sweeper" {
  name   = "sweep"
  role   = aws_iam_role.sweeper.id
  policy = data.aws_iam_policy_document.sweeper.json
}

data "aws_iam_policy_document" "assumed_by_vendor" {
  for_each = var.vendors

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${each.value.account}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [each.value.external_id]
    }
  }
}

# INDEX.json tells a vendor what there is; one that would rather look for _SUCCESS may list its own prefix alone.
data "aws_iam_policy_document" "vendor" {
  for_each = var.vendors

  statement {
    sid       = "ReadOwnFiles"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.strata["outbox"].arn}/${each.key}/*"]
  }

  statement {
    sid       = "ListOwnFiles"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.strata["outbox"].arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${each.key}/*"]
    }
  }

  statement {
    sid       = "OpenThem"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.strata["outbox"].arn]
  }
}

resource "aws_iam_role" "vendor" {
  for_each           = var.vendors
  name               = "${var.name}-strata-vendor-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_vendor[each.key].json
}

resource "aws_iam_role_policy" "vendor" {
  for_each = var.vendors
  name     = "read-own-prefix"
  role     = aws_iam_role.vendor[each.key].id
  policy   = data.aws_iam_policy_document.vendor[each.key].json
}

output "roles" {
  description = "What the worker, the sweeper and each vendor assume."
  value = merge(
    { worker = aws_iam_role.worker.arn, sweeper = aws_iam_role.sweeper.arn },
    { for code, role in aws_iam_role.vendor : code => role.arn },
  )
}
