"""Copies people from DynamoDB to a search index, as one would write it in an afternoon."""
import decimal
import sys

import boto3
from opensearchpy import OpenSearch, helpers

dynamodb_url, search_url = sys.argv[1:]
table = boto3.resource("dynamodb", endpoint_url=dynamodb_url).Table("people")
pages = table.meta.client.get_paginator("scan").paginate(TableName="people")


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, set)):
        return [plain(inner) for inner in value]
    return value


def document(person):
    person = plain(person)
    return {
        "id": person["id"],
        "title": person.get("title") or "",
        "firstname": person.get("firstName") or "",
        "middleName": person.get("middleName") or "",
        "surname": person.get("surname") or "",
        "preferredFirstname": person.get("preferredFirstName") or "",
        "preferredSurname": person.get("preferredSurname") or "",
        "dateOfBirth": person.get("dateOfBirth"),
        "personTypes": person.get("personTypes") or [],
        "tenures": [
            {
                "id": tenure.get("id"),
                "type": tenure.get("type"),
                "startDate": tenure.get("startDate"),
                "endDate": tenure.get("endDate"),
                "assetFullAddress": tenure.get("assetFullAddress"),
            }
            for tenure in person.get("tenures") or []
        ],
    }


def actions():
    for page in pages:
        for person in page["Items"]:
            yield {"_index": "script", "_id": person["id"], "_source": document(person)}


for done, result in helpers.parallel_bulk(OpenSearch(search_url), actions(), thread_count=4):
    assert done, result
