"""The tests of NIST PKITS 1.0.1, section 4: each end entity with what is asked and what has to come of it.

A name that begins with Valid or Invalid says itself what comes of it. Otherwise that follows its colon: ``+`` or ``-``,
the numbers of the NIST test policies that are accepted (none: any), and ``e`` for initial-explicit-policy, ``m`` for
initial-policy-mapping-inhibit, ``a`` for initial-inhibit-any-policy."""

SECTIONS = {
    "4.1 Signature verification": """
        ValidCertificatePathTest1 InvalidCASignatureTest2 InvalidEESignatureTest3 ValidDSASignaturesTest4
        ValidDSAParameterInheritanceTest5 InvalidDSASignatureTest6
    """,
    "4.2 Validity periods": """
        InvalidCAnotBeforeDateTest1 InvalidEEnotBeforeDateTest2 Validpre2000UTCnotBeforeDateTest3
        ValidGeneralizedTimenotBeforeDateTest4 InvalidCAnotAfterDateTest5 InvalidEEnotAfterDateTest6
        Invalidpre2000UTCEEnotAfterDateTest7 ValidGeneralizedTimenotAfterDateTest8
    """,
    "4.3 Verifying name chaining": """
        InvalidNameChainingTest1 InvalidNameChainingOrderTest2 ValidNameChainingWhitespaceTest3
        ValidNameChainingWhitespaceTest4 ValidNameChainingCapitalizationTest5 ValidNameUIDsTest6
        ValidRFC3280MandatoryAttributeTypesTest7 ValidRFC3280OptionalAttributeTypesTest8
        ValidUTF8StringEncodedNamesTest9 ValidRolloverfromPrintableStringtoUTF8StringTest10
        ValidUTF8StringCaseInsensitiveMatchTest11
    """,
    "4.4 Basic certificate revocation": """
        InvalidMissingCRLTest1 InvalidRevokedCATest2 InvalidRevokedEETest3 InvalidBadCRLSignatureTest4
        InvalidBadCRLIssuerNameTest5 InvalidWrongCRLTest6 ValidTwoCRLsTest7 InvalidUnknownCRLEntryExtensionTest8
        InvalidUnknownCRLExtensionTest9 InvalidUnknownCRLExtensionTest10 InvalidOldCRLnextUpdateTest11
        Invalidpre2000CRLnextUpdateTest12 ValidGeneralizedTimeCRLnextUpdateTest13
        ValidNegativeSerialNumberTest14 InvalidNegativeSerialNumberTest15 ValidLongSerialNumberTest16
        ValidLongSerialNumberTest17 InvalidLongSerialNumberTest18 ValidSeparateCertificateandCRLKeysTest19
        InvalidSeparateCertificateandCRLKeysTest20 InvalidSeparateCertificateandCRLKeysTest21
    """,
    "4.5 Verifying paths with self-issued certificates": """
        ValidBasicSelfIssuedOldWithNewTest1 InvalidBasicSelfIssuedOldWithNewTest2
        ValidBasicSelfIssuedNewWithOldTest3 ValidBasicSelfIssuedNewWithOldTest4
        InvalidBasicSelfIssuedNewWithOldTest5 ValidBasicSelfIssuedCRLSigningKeyTest6
        InvalidBasicSelfIssuedCRLSigningKeyTest7 InvalidBasicSelfIssuedCRLSigningKeyTest8
    """,
    "4.6 Verifying basic constraints": """
        InvalidMissingbasicConstraintsTest1 InvalidcAFalseTest2 InvalidcAFalseTest3
        ValidbasicConstraintsNotCriticalTest4 InvalidpathLenConstraintTest5 InvalidpathLenConstraintTest6
        ValidpathLenConstraintTest7 ValidpathLenConstraintTest8 InvalidpathLenConstraintTest9
        InvalidpathLenConstraintTest10 InvalidpathLenConstraintTest11 InvalidpathLenConstraintTest12
        ValidpathLenConstraintTest13 ValidpathLenConstraintTest14 ValidSelfIssuedpathLenConstraintTest15
        InvalidSelfIssuedpathLenConstraintTest16 ValidSelfIssuedpathLenConstraintTest17
    """,
    "4.7 Key usage": """
        InvalidkeyUsageCriticalkeyCertSignFalseTest1 InvalidkeyUsageNotCriticalkeyCertSignFalseTest2
        ValidkeyUsageNotCriticalTest3 InvalidkeyUsageCriticalcRLSignFalseTest4
        InvalidkeyUsageNotCriticalcRLSignFalseTest5
    """,
    "4.8 Certificate policies": """
        ValidCertificatePathTest1:+e ValidCertificatePathTest1:+1e ValidCertificatePathTest1:-2e
        ValidCertificatePathTest1:+1,2e AllCertificatesNoPoliciesTest2:+ AllCertificatesNoPoliciesTest2:-e
        DifferentPoliciesTest3:+ DifferentPoliciesTest3:-e DifferentPoliciesTest3:-1,2e DifferentPoliciesTest4:-
        DifferentPoliciesTest5:- OverlappingPoliciesTest6:+ OverlappingPoliciesTest6:+1
        OverlappingPoliciesTest6:-2 DifferentPoliciesTest7:- DifferentPoliciesTest8:- DifferentPoliciesTest9:-
        AllCertificatesSamePoliciesTest10:+ AllCertificatesSamePoliciesTest10:+1
        AllCertificatesSamePoliciesTest10:+2 AllCertificatesanyPolicyTest11:+ AllCertificatesanyPolicyTest11:+1
        DifferentPoliciesTest12:- AllCertificatesSamePoliciesTest13:+1 AllCertificatesSamePoliciesTest13:+2
        AllCertificatesSamePoliciesTest13:+3 AnyPolicyTest14:+1 AnyPolicyTest14:-2 UserNoticeQualifierTest15:+
        UserNoticeQualifierTest16:+ UserNoticeQualifierTest17:+ UserNoticeQualifierTest18:+1
        UserNoticeQualifierTest18:+2 UserNoticeQualifierTest19:+ CPSPointerQualifierTest20:+1e
    """,
    "4.9 Require explicit policy": """
        ValidrequireExplicitPolicyTest1 ValidrequireExplicitPolicyTest2 InvalidrequireExplicitPolicyTest3
        ValidrequireExplicitPolicyTest4 InvalidrequireExplicitPolicyTest5
        ValidSelfIssuedrequireExplicitPolicyTest6 InvalidSelfIssuedrequireExplicitPolicyTest7
        InvalidSelfIssuedrequireExplicitPolicyTest8
    """,
    "4.10 Policy mappings": """
        ValidPolicyMappingTest1:+1 ValidPolicyMappingTest1:-2 ValidPolicyMappingTest1:-m
        InvalidPolicyMappingTest2 InvalidPolicyMappingTest2:-m ValidPolicyMappingTest3:-1
        ValidPolicyMappingTest3:+2 InvalidPolicyMappingTest4 ValidPolicyMappingTest5:+1
        ValidPolicyMappingTest5:-6 ValidPolicyMappingTest6:+1 ValidPolicyMappingTest6:-6
        InvalidMappingFromanyPolicyTest7 InvalidMappingToanyPolicyTest8 ValidPolicyMappingTest9
        InvalidPolicyMappingTest10 ValidPolicyMappingTest11 ValidPolicyMappingTest12:+1
        ValidPolicyMappingTest12:+2 ValidPolicyMappingTest13 ValidPolicyMappingTest13:+1,2
        ValidPolicyMappingTest13:-2 ValidPolicyMappingTest14
    """,
    "4.11 Inhibit policy mapping": """
        InvalidinhibitPolicyMappingTest1 ValidinhibitPolicyMappingTest2 InvalidinhibitPolicyMappingTest3
        ValidinhibitPolicyMappingTest4 InvalidinhibitPolicyMappingTest5 InvalidinhibitPolicyMappingTest6
        ValidSelfIssuedinhibitPolicyMappingTest7 InvalidSelfIssuedinhibitPolicyMappingTest8
        InvalidSelfIssuedinhibitPolicyMappingTest9 InvalidSelfIssuedinhibitPolicyMappingTest10
        InvalidSelfIssuedinhibitPolicyMappingTest11
    """,
    "4.12 Inhibit any policy": """
        InvalidinhibitAnyPolicyTest1 ValidinhibitAnyPolicyTest2 inhibitAnyPolicyTest3:+ inhibitAnyPolicyTest3:-a
        InvalidinhibitAnyPolicyTest4 InvalidinhibitAnyPolicyTest5 InvalidinhibitAnyPolicyTest6
        ValidSelfIssuedinhibitAnyPolicyTest7 InvalidSelfIssuedinhibitAnyPolicyTest8
        ValidSelfIssuedinhibitAnyPolicyTest9 InvalidSelfIssuedinhibitAnyPolicyTest10
    """,
    "4.13 Name constraints": """
        ValidDNnameConstraintsTest1 InvalidDNnameConstraintsTest2 InvalidDNnameConstraintsTest3
        ValidDNnameConstraintsTest4 ValidDNnameConstraintsTest5 ValidDNnameConstraintsTest6
        InvalidDNnameConstraintsTest7 InvalidDNnameConstraintsTest8 InvalidDNnameConstraintsTest9
        InvalidDNnameConstraintsTest10 ValidDNnameConstraintsTest11 InvalidDNnameConstraintsTest12
        InvalidDNnameConstraintsTest13 ValidDNnameConstraintsTest14 InvalidDNnameConstraintsTest15
        InvalidDNnameConstraintsTest16 InvalidDNnameConstraintsTest17 ValidDNnameConstraintsTest18
        ValidDNnameConstraintsTest19 InvalidDNnameConstraintsTest20 ValidRFC822nameConstraintsTest21
        InvalidRFC822nameConstraintsTest22 ValidRFC822nameConstraintsTest23 InvalidRFC822nameConstraintsTest24
        ValidRFC822nameConstraintsTest25 InvalidRFC822nameConstraintsTest26
        ValidDNandRFC822nameConstraintsTest27 InvalidDNandRFC822nameConstraintsTest28
        InvalidDNandRFC822nameConstraintsTest29 ValidDNSnameConstraintsTest30 InvalidDNSnameConstraintsTest31
        ValidDNSnameConstraintsTest32 InvalidDNSnameConstraintsTest33 ValidURInameConstraintsTest34
        InvalidURInameConstraintsTest35 ValidURInameConstraintsTest36 InvalidURInameConstraintsTest37
        InvalidDNSnameConstraintsTest38
    """,
    "4.14 Distribution points": """
        ValiddistributionPointTest1 InvaliddistributionPointTest2 InvaliddistributionPointTest3
        ValiddistributionPointTest4 ValiddistributionPointTest5 InvaliddistributionPointTest6
        ValiddistributionPointTest7 InvaliddistributionPointTest8 InvaliddistributionPointTest9
        ValidNoissuingDistributionPointTest10 InvalidonlyContainsUserCertsTest11
        InvalidonlyContainsCACertsTest12 ValidonlyContainsCACertsTest13 InvalidonlyContainsAttributeCertsTest14
        InvalidonlySomeReasonsTest15 InvalidonlySomeReasonsTest16 InvalidonlySomeReasonsTest17
        ValidonlySomeReasonsTest18 ValidonlySomeReasonsTest19 InvalidonlySomeReasonsTest20
        InvalidonlySomeReasonsTest21 ValidIDPwithindirectCRLTest22 InvalidIDPwithindirectCRLTest23
        ValidIDPwithindirectCRLTest24 ValidIDPwithindirectCRLTest25 InvalidIDPwithindirectCRLTest26
        InvalidcRLIssuerTest27 ValidcRLIssuerTest28 ValidcRLIssuerTest29 ValidcRLIssuerTest30
        InvalidcRLIssuerTest31 InvalidcRLIssuerTest32 ValidcRLIssuerTest33 InvalidcRLIssuerTest34
        InvalidcRLIssuerTest35
    """,
    "4.15 Delta-CRLs": """
        InvaliddeltaCRLIndicatorNoBaseTest1 ValiddeltaCRLTest2 InvaliddeltaCRLTest3 InvaliddeltaCRLTest4
        ValiddeltaCRLTest5 InvaliddeltaCRLTest6 ValiddeltaCRLTest7 ValiddeltaCRLTest8 InvaliddeltaCRLTest9
        InvaliddeltaCRLTest10
    """,
    "4.16 Private certificate extensions": """
        ValidUnknownNotCriticalCertificateExtensionTest1 InvalidUnknownCriticalCertificateExtensionTest2
    """,
}
