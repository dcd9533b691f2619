"""What the rules of a version say otherwise than those before, and by which rule.

`CHANGES` is the place for it: whoever changes a rule runs `python -m tests.golden.expect`, looks at
each event that differs, and writes it down here with the rule and the reason. What differs and does
not stand here fails the tests, and so does what stands here and does not differ.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from tests.golden.container import Message, by_partition
from tests.golden.severities import SEVERITY


class Change(Struct, frozen=True, kw_only=True):
    """Messages of one golden log that differ for one reason.

    `log` is the version of the golden log, `rules` the folder of its `expected` in which they first
    differ. `events` are ids (of a recheck `partition/host/deciding record`); `ANY` stands for all
    messages, for a field that every event has since. `fields` are the paths
    that differ (`summary`, `regions.region-0.verdict`, `header ce_type`); `missing` stands for an
    event that no longer comes, `new` for one that did not come, `order` for one that comes at
    another place.
    `rule` is the section of docs/rules.md that decides it now.
    """

    log: str
    rules: str
    events: frozenset[str]
    fields: frozenset[str]
    rule: str
    reason: str


ANY: Final = frozenset({"any"})


def _each(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


CHANGES: Final[tuple[Change, ...]] = (
    Change(
        log="0.1",
        rules="0.2",
        rule="2",
        reason=(
            "A failure after a pause in which its region was stale is the first of a new row: "
            "the region says down after its retries only, so its update comes with a later "
            "record, its row began later, and a recheck is asked for."
        ),
        fields=_each(
            """
            missing new regions.region-0.since regions.region-1.since
            regions.region-2.since regions.region-3.since
            """
        ),
        events=_each(
            """
            0/change-name.example.com/6188 0/hand-resolved.example.com/4565
            0/hand-resolved.example.com/5404 0/hand-resolved.example.com/6247
            0173fec7-7b51-56fd-b638-6a5eb8c2e7e1
            01a6df6b-0641-58d8-a364-650825dc66dc
            047543dd-dc79-5abd-a57a-9951255aaabc 1/change-port.example.com/9029
            1/change-region-added.example.com/9130
            1/change-strict.example.com/9086 1/flap-down.example.com/6958
            1/flap-down.example.com/7610 1/flap-down.example.com/7630
            1/flap-down.example.com/7645 1/flap-down.example.com/7656
            1/flap-down.example.com/7971 1/flap-down.example.com/9057
            1/stays-down.example.com/15899 1/stays-down.example.com/15926
            1/stays-down.example.com/16012 1/stays-down.example.com/16053
            1/stays-down.example.com/6929 1/stays-down.example.com/8071
            1/stays-down.example.com/9054 14c60f13-0379-5959-b4d3-39b130a62dd1
            16b4b490-1560-5e22-8f7a-70af444b49b0
            19257031-92eb-5fd9-87ce-3933c23d9b4c 2/change-eager.example.com/4831
            2/change-eager.example.com/5525 2/change-kind.example.com/5516
            2/moved0.example.com/5545 212251a6-91be-5370-9f9f-35bb0a3d73cd
            32e35f48-7e85-550a-9b78-3472f6d5c59d
            35a61ff0-98ad-5741-9b62-55507332935e
            378c005f-77d0-5d80-93bb-84c70d1e01ef
            379c11e7-6b95-50a8-92e9-6657bb767177
            3f9a9684-1585-5597-a6b7-5c345ecb87ee
            40dc6285-b976-54e1-a626-b0109f7fa712
            4a709719-0acf-5efd-8d71-095a1a5d90ab
            57f7a5bf-30a7-544f-8bf8-4c1406fe4c3a
            5f7e0ac1-7d96-5822-9c49-428ca2b50bfe
            6be4e788-65c7-5ebb-9d82-c7ea29c9f3ba
            6d3a1888-9be3-52f2-860e-db7088811ab0
            75022724-3b9f-59f2-b71f-f850e22aceff
            7a67f87a-44cb-5b65-bded-69a026c51e6f
            7d974491-aca4-55a3-afa2-bc10992613e2
            9727696a-8915-5780-bd43-e1d555dba04a
            97fce042-71af-54ac-854f-70bbf13bfc81
            98ee2471-06dd-5afa-b56e-4298630dc4aa
            9d5cd376-7b34-5fcb-ae05-471ca7022ad8
            a57450c5-32d0-5e52-8ec2-03ffa567d825
            b0291fd6-198d-5f07-bcaa-65a214b340ed
            b9f7e2d2-a687-5070-a904-a217e15982a3
            bcccbfb6-4c9f-5546-9536-c32d075c14d0
            bd9f5f10-8182-563e-b0db-449133d76699
            c6a9dd29-bf7f-5146-ac14-53edd3c38571
            c7f620fd-f9ff-53f0-8307-878e5e1059b2
            cd51c241-942f-595c-ae8f-6ccdcc7da130
            d06570af-b6cc-504d-b7ce-65ff1b2089c4
            db336149-6f52-5572-b313-4d80aa52302d
            dc46fc37-ba5d-5016-a2d9-f2bcf651915b
            deb27ba6-7e82-5be3-9c0b-ff464a6f974f
            e0652ca9-e13e-5431-b276-e8cb30fcb7b9
            e366655c-15f7-5a57-ba22-3b576eba8d7a
            e3be9e81-7413-51c2-a2a7-fe9dfacb54ea
            e5858a96-4f7a-5010-9351-3c2bad083a00
            e63d5748-9178-5dad-9b01-ad910f06b726
            e65450fd-cc05-5790-ad0c-e400682180b2
            e7962cfa-71b3-58c0-94cf-9d4531a9d91a
            f27f19d0-aaa8-5ad3-a29f-fa318d28df1b
            f65bcda3-1096-5457-b12d-03e3681e5476
            f67fea3b-9db5-509b-a98a-abb67a14bdbd
            f6957efd-81d1-541f-931f-49841fdf5733
            fabed45a-29c3-54a7-8910-37f24e54d4e0
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "Regions that nobody hears any more are not waited for, whatever their last word, "
            "and when none is left the incident closes as abandoned: what still fails later "
            "is another incident, and no recheck is asked for the recovery of one that has "
            "ended."
        ),
        fields=_each(
            """
            missing new
            """
        ),
        events=_each(
            """
            0/hand-resolved.example.com/12392
            1/change-region-added.example.com/15900
            1/flap-down.example.com/15876 26d9cfc2-5676-5a5e-aa6a-25517105fd8f
            316398af-18cb-5100-b872-fa2b5a84cc21
            3940acbe-be02-5583-a3fb-4e6fc88c8bd7
            3c65fa82-8846-5e31-b93f-fa3cb6df3e34
            437370c2-745f-5ae5-a013-4de70e6c4ada
            441e8dae-b5f6-5b98-ba31-38d4af692965
            52dc5c7a-5a8d-5342-8856-b80b6c6a2bab
            601bc82e-db8c-577e-b250-83b077a95ce9
            8657a8bf-632f-5a2d-b80c-bef49eaba423
            95db3f0d-a6cd-5f72-943f-aee8c44879e6
            a7e57d69-8eb8-5ab3-9492-5017da100727
            b0354c97-63bb-58ca-9b47-24873d4533a9
            b2906560-13d3-562d-864f-85f24dd70dba
            c5a3124b-e635-5eec-b637-9c2778acaf7e
            f92e0da9-5097-50cd-999c-8a55a03ab7f9
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "An incident has episodes: what was updated when the regions no longer agreed that the "
            "target is down has improved, and it worsened when they agreed again. An improvement "
            "gives no diagnosis, so the next update tells a changed one, and later events have "
            "the number of their episode."
        ),
        fields=_each(
            """
            missing new changes episode episode_began_at
            """
        ),
        events=_each(
            """
            00e7f132-7ba3-5b68-a5c6-a31825d3d94e 0186943b-8f86-5ce4-8b40-9e53231da3f6
            01bbb2cc-8371-5f84-8de0-6dd8fc5f7b9f 025eca7a-da44-5dee-b6bf-8286ac1b5b8f
            062e0042-fe5e-506c-81ba-a9fa29a67961 077c5d48-eaad-5a12-9af9-44836422f2d8
            082414ee-be13-5f16-a9c8-b6dc449d58db 087537b4-cb01-5ccc-8b7b-4aa659782f24
            094b0a5b-396f-5faa-a7d0-bc035fc06ec6 0a02790e-136d-5a33-a0f7-df71963323fa
            0c28806d-40fd-562d-b71a-fc711864648d 0d00c827-4d6b-5ea0-82b1-5befcef1e8b7
            0d202613-8f1c-5d25-889b-551c15dd8029 0d81987c-83f3-5f8f-aba2-7f630f147669
            0f7ebd88-1a56-53c2-a5b7-0e0a3de7d867 123061b5-be52-5449-ac74-3963d9aa75ce
            149086fa-333f-5d5a-b6d5-07eedf9f33b1 1a1add2f-d860-56f0-8d9a-39280500cfb2
            1abc8915-1bc7-503a-ac42-33ff4aff0f51 1b4da756-e588-5469-8e18-fadab27bd17a
            1c3bae55-34f1-5c2a-b066-665f6fda8f21 1ca6399c-2ee2-5298-8656-d85b022e6890
            1ee265b9-a817-5321-9980-62df01a45224 233e398d-b9b0-5c3d-a34d-f3ef3e925fca
            2808dfbc-c2e9-58b0-91e5-c2cc146d75e0 2b5bac14-c093-5a93-a48e-ec7db1808b51
            2b651355-7cb7-5056-b3d7-3ce7051d5daa 2c380c39-3cd1-58bf-90e7-20f27ffbee6a
            2fe2b7e5-ee8b-5810-8cb3-d3d23e46252d 3031d51c-0ccd-50d1-9a3c-66df31eaa04d
            315f096d-3455-596a-a737-4aca97f241f7 33c1dfe4-3675-5750-b463-0ce9a6827d03
            361ded57-a23c-54d2-887b-6a53c212cccb 398d0188-3442-526e-9518-4401c50dec46
            3b4b72ee-a1c1-5d59-9232-bb62f7ea1623 3f296bf1-71d6-554b-a413-5454f2c8aaf3
            3f4d9cc2-c487-5da0-bc13-21ce79c5243f 3f88adfa-0e5e-5198-85f4-4fdaf3e33984
            3fdefdeb-997b-5413-9ec2-ca399b0226cf 40d44f5b-fda6-521c-866e-b5091b22cabe
            452962e2-0e74-5770-8733-06ba683ddd18 455ed19b-1dc5-502b-8ef4-1c423ebca43e
            46935c86-d74e-57a1-a795-1fb399465933 47b2606e-d74d-5345-9dd6-bae49165ca9f
            48232603-5221-5845-b048-c1e4cc1b3996 4917a11d-cc5e-5d5c-96d8-7c0d27d15923
            493a18e5-6f0a-5718-b6c1-ec72d197091b 49e4d99b-49cf-588a-9037-9c5c4d6a9606
            4bb23dcb-3c67-5fac-a05f-bb6093ab46bf 4c08b693-e8e2-51b5-a131-1d15e989e7e1
            4d2e297e-45ab-58a6-93ad-6ad2e8df65a4 4e5a4e9d-7a36-5f55-a043-6df0cb8b39fa
            506a058b-5b89-53bc-948e-b7357da0b001 57bfe0c4-eae5-5c13-8598-f01935a38457
            590ebb16-9405-52b7-a915-ff278c6e274f 5bf24555-8ef0-5a17-82c3-e0160bc773ae
            5d7fa2b9-3239-5ae3-8098-c38a9b489453 64f36ed6-a008-5e50-bc5f-cb484618abad
            6554f48b-11e3-5110-a1f6-5979eaa86505 668fc1a4-9ac4-5ef0-a567-59ce87a038f2
            686250c5-36fd-5948-a488-e56b6a13c130 6cd1195a-8138-5459-9a43-df4f4997733a
            6e24998b-18e3-5f45-867c-b35aece6cbf6 6ec33f8c-fcca-5401-835d-ae722b7bcc77
            6fc4b29d-2494-55e3-80b9-324758e2030c 6fe02aa7-99e9-5cd2-a883-fe9969ede243
            7080862c-79ae-5fb1-b832-f3462a66aa2a 72f703e2-a3e9-5bdc-8f3a-5dadb71bc36e
            771f5939-33eb-5de3-804b-a4faab3f9b1d 0a218891-7c47-504f-97a9-d3a866a89e08
            78aa77d4-ced5-54af-91bb-bc885a4eb48a 78d24d1d-2425-5f87-9c2a-ca6070c7f786
            7951c9fb-3111-5aad-b464-42e6693c39da 7a10e51a-9709-59c1-988a-4a09f08d7cb4
            7cd97377-14f3-512d-b441-030f125e3012 81011a5d-9fa9-5baa-b53b-152f08c7d024
            81edc232-d680-502f-aab1-564382646699 85a9e4f4-3ea8-58a2-b997-fe5407775301
            877c047c-04ea-55be-bb34-b589aa69e48a 880af6b6-fc86-5ee6-9afe-29067c614846
            88860098-f208-58b2-ac38-accdb34188e8 89b499a7-7d0e-5f61-810b-ef95979ad718
            8c5e8337-db69-5f4a-b7fa-1698aa5b709c 8d5b5b1a-dcda-5384-b47e-600c6dd1fc5a
            8d6d2ba5-e4de-5f50-a70d-f0bfe9fe81ea 8e8686f2-d065-5490-bcb8-4a4ccd359466
            91e1ba30-cac1-5cc7-b050-d2bb451a853c 9321b2f5-0f64-501a-b6a1-96a8ba506567
            9448c087-0a17-598e-a7a7-6b24e7f0a09a 947e7869-c0f8-5656-989f-9bf7bc7ef4a2
            99c3bedc-a034-5423-87a9-44a9bc8d07e1 99d47c65-c8a8-50cf-8628-fbe6a3a734d6
            9aecc5f1-f4fa-5798-86c3-658e7d029dfe 9c62cd13-f368-5a01-be03-0718ff14c486
            a100e2a0-29dd-5b2b-8002-1a38a27fda91 a23216d0-142a-5846-92f6-51951837c11b
            a36f21cd-de42-5ba8-9356-0354f7efc779 a76e692d-08b4-5a89-b3c9-a4748b7d78ce
            b06ffcc3-1b44-531b-ba54-7763cb36b2fa b24e6df5-b1ad-552c-9756-e4a42abc68e7
            b2aef1d3-619f-5b4d-be2c-b87365ff0ab2 b4599335-eaef-5b0d-8184-2ce82acee1c7
            b57258b8-4aef-5e77-9090-e3a4afee2214 b700f178-425c-58a8-b0a6-0a55b6746c36
            b726e9f2-1aa6-59bd-bbd8-2dd4e62ca958 bc7f4a92-b98c-560e-8655-dd0bfec9a2e8
            bc951f1b-2a59-5f98-90ab-3301929ac666 bd640e43-29eb-546c-a5ce-c962bb50e38b
            be09c4ea-366b-58d9-a282-08ab1aabd1ca be284d11-59bc-57d2-84ad-647d0066a628
            bf930aaa-5350-591b-8368-9707090a4340 c0ab13cd-2278-5f82-9f72-fa495316f5c4
            c13d2f13-b1c2-5340-b986-60545cf71e57 c2ab1d20-2c4c-5dae-880d-64a9be01ad24
            c8ac6af1-f1e4-5423-bb5b-e6fbbf8b963d cca0a9ae-c106-53bb-8059-534111dbf22f
            cda40b76-27e1-5157-9f8f-5b71e50c2ae8 ce3bce71-498c-5f14-b16d-a0a4688fa76a
            d3ed0ad8-dfd5-58e7-ae7a-ba81b2fb3616 d4bc2544-b8bb-5d0c-9cff-0becc8a81f27
            d5592fe5-d635-548b-a9b4-7549eb0c0d0b d5dc3a22-6923-580a-a44e-90367a3221d9
            d6640bd1-68dc-5ace-909c-8b362ed4516d d798c268-f3d7-5795-8ab8-f8a03c4db258
            d7a82d7c-6af6-5b50-942a-bf216afbb247 d7fe3c45-d280-5194-9acb-ded88fa17579
            da663078-2f2c-5b59-96df-67cc7430dead dc1e362f-ad03-5bf0-811a-6b1b00678fdc
            dc858295-e5c8-5f47-abd9-312efe34a595 dd25b9e1-8340-55e3-bebd-300a148813d8
            df6feb0d-c36f-5323-b47c-97ad670fdbb2 dfe7f70e-e933-5045-b551-8e04b556b8be
            e030696b-61a1-5e18-8b24-62f635279bda e039e70a-34ab-5523-900a-5c9f6a820bb4
            e1743d22-d4c9-540e-b804-82bf8c498400 e17b9437-cd9b-5ce8-a126-259755a586f5
            e234899e-12a4-567c-b604-59231ed5bb67 e308211f-304d-50c4-b254-e68693165d9c
            e30add26-9351-59bf-ac0f-4a8e3dec8109 e32fda90-295a-552e-ba78-d47e9431e2ae
            e4f3e3a2-9be3-5db8-b587-4a47fbaa7db1 e6b58392-ae5a-5d64-b31d-3184993e6d99
            e6d1c5b7-1435-55ea-a3ed-4abe73a2f0de e755e879-9cbb-5a39-912a-e8101b7096bf
            e76fed40-dbec-5cf2-b9ea-bc41154fa31c e8e3e964-4b72-5332-951e-43cb3dc54252
            e94aceb2-fd5e-54c0-9ca8-6c1ee0552ce2 ea18dcad-0631-5d7a-a46f-415f2cfc2098
            efa7a8cf-c462-5ae6-9b31-5de67d256a15 efba008c-5b5e-5d7f-b3b6-0568608e7783
            f2988f1e-247b-5c3d-aa25-542dabcf23e1 f2f9b7f4-9a78-5baf-a226-cc055a4b19a5
            f47bf8ed-e35d-5442-9542-ce74bf4e92bc f54a9348-b688-54e9-8abe-191182fc9bd6
            f7996111-6c22-58dc-9da4-06f4cc3f6dab f7cca388-8799-53fd-b530-b7706773d5b0
            fd481630-ea0b-51f2-807b-42eec1518b7d fd4ea318-97dd-5958-8e4b-16ea3c99fc11
            fea024fe-481d-5934-a2d6-a254727b8d1a
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="7",
        reason=(
            "A region that says down has a vote for slowness, too; while others are down, the "
            "summary of a slow incident names both."
        ),
        fields=_each("votes.down summary"),
        events=_each(
            """
            35ddc676-52cf-5e7c-b379-be31a7e54292
            3ef36a81-775d-5d25-ac89-905227a9647b
            42445ba7-6752-5348-9212-5e3bee54bf7a
            657966dd-c7af-5245-bf16-b98b7bc53d63
            d4816466-108b-51ae-88df-fffea2b5b697
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="12",
        reason=(
            "Targets that nobody could judge for 5 min are told, again when they are many more, "
            "and when all are watched again: nobody was told before."
        ),
        fields=_each("new"),
        events=_each(
            """
            1084f7f2-bd95-5c44-b6fa-b6a1a5603058 1ca7831e-b6c2-5d5c-9116-f885576287b5
            228c44fc-6e13-55bc-a460-5118760296bf 2e1db016-1cee-5a13-8b5f-0c7bd2a26204
            34777cff-7ba1-534a-8941-390579743c02 40478fc4-7a9b-5dc9-bdfb-f4fb1121c785
            45d557b7-1ebf-5b0e-82eb-d83c55676306 4b333159-4b52-5b26-bf70-3d4c19d5f533
            52f9c582-ccf0-50b4-afd0-b463b16a6e74 580fea52-1d30-5ca3-8ba3-f38d52fb79ac
            5d0430bc-9ff3-5642-8a85-c00f3beb5e04 8c2067b5-88cd-5d7d-9122-5fcc22188367
            a4449d27-9e2c-5875-9cf8-8a39daef011e a9c0d505-071b-59a5-9357-16d94a6574bc
            ac9b3672-77ed-51c9-b8f8-c5930a90b471 d8d47157-2366-587c-8a23-29949419a34a
            dbcbfc5b-15e2-52cc-8220-70311bb50d33 dcd8b0ec-0fac-548a-b544-aaf2ac0a4075
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="8",
        reason=(
            "A region is set aside when the others have looked and see no such thing, 10 s after "
            "it began to fail widely: not in an outage that all see, and a region that is cut off "
            "votes for those seconds."
        ),
        fields=_each(
            """
            missing new changes[1] host_targets[0].status regions.region-1.set_aside summary
            votes.down votes.fresh
            """
        ),
        events=_each(
            """
            087537b4-cb01-5ccc-8b7b-4aa659782f24 2054bf77-0a9b-5a4b-86bc-806f154827bd
            23be1d16-c431-5a13-818d-3495fdbd9101 2e79c5e9-94f8-5728-a742-7a0d6036e9af
            37a9606b-f149-58b4-a09f-7f2024b5fe54 49609769-0a38-50bc-ab5e-a5892e74d65e
            544535c4-79df-587b-bb6e-c58a6b19a64d 6ef37158-fafb-5a4b-9d68-e6592e3f80ce
            7bf39cc9-44b1-522f-b37d-fed1c931a0f4 7c892168-ed78-593d-8729-7dbc771c241b
            83d0e903-8b35-58d1-aa9b-713b5ef6bb23 85883c34-824d-56aa-905c-4bcfd5ac6bee
            86075ca4-d411-5b16-9c4f-d58707ec2dcd
            b75d721a-8a03-545f-a743-16ecc14c7b7c d0852a99-b6be-58e6-a8b2-6db9a0db82f4
            e18a2baf-7719-5d25-ae86-932b9444739f ec488564-7564-5476-8294-7301af45a001
            f8a5a900-26a7-5369-b7e7-e28605aec3a1
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="3",
        reason=(
            "A target that recovers is rechecked until recover_after is reached: the next "
            "scheduled round was waited for."
        ),
        fields=_each("new"),
        events=_each(
            """
            1/judge-after.example.com/3590 1/judge-after.example.com/3609
            1/judge-after.example.com/3623 2/host11.example.com/9785
            2/host8.example.com/9345
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "An open incident of which no region has a result that counts says that nobody looks; "
            "that not every region has succeeded again read as if some had."
        ),
        fields=_each("summary"),
        events=_each(
            """
            e0c58401-52c3-5cb1-ad92-f8a092484f95 dc1cf46b-8909-5c7e-94d5-8bdb781a35be
            9f6c3300-8f79-5f73-b234-80cbd85fcb07 6fc4b29d-2494-55e3-80b9-324758e2030c
            98340352-547d-5d6d-ada5-4659763e81cc
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="9",
        reason=(
            "What closes a flapping incident after its quiet time says when the target recovered "
            "last: it was up since, and whoever adds up outages had to guess that time."
        ),
        fields=_each("recovered_at"),
        events=_each(
            """
            3f899829-3a1f-502b-b07d-019ebf1a5128 378c005f-77d0-5d80-93bb-84c70d1e01ef
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "What somebody wrote when acknowledging or resolving by hand, and who resolved, stands "
            "in the events: it was written to the log and lost."
        ),
        fields=_each("acknowledged_note changes[0] resolved_by resolved_note"),
        events=_each(
            """
            0a35728e-c077-5758-af17-1dea30fe186d 14be10ae-685e-5ee3-8d86-16f86ce2ec4d
            18c3eb6f-1d0a-5a68-b8c4-f95e48f3f107 2b51ebf6-c397-5c3c-8b1f-3d5bbb8c3010
            2f4790e4-7779-5197-96e7-5439eb115ba2 34b9881d-7a90-5c42-a5a1-61ae6a1084a7
            41d14546-8090-5083-9ad5-9c2a31672359 7c623cce-876a-51f4-83e3-a90e7c8f19b6
            7e16526c-8b09-5804-8896-e98381d85d9d 861354a0-5f99-50cd-a901-95f1372ae70c
            d6303903-45bf-5fa5-b70e-835fc9dda463 f4ba5bf3-9cf9-5722-a147-c617dd8a6f1b
            f4f1b9a1-1704-5561-b8ad-ed62ffbe1ed3
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "The severity comes of the type and the target's criticality, which meant nothing: an "
            "outage of a normal target is a warning, the end of its certificate information."
        ),
        fields=_each("severity"),
        events=SEVERITY,
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "An event names the version of the definition that it judged: a target whose host "
            "changes has events in two partitions, and a reader had no way to order them."
        ),
        fields=_each("target_version"),
        events=ANY,
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "The header ce_dataschema names the schema of the value, and ce_traceparent is the "
            "trace context where libraries of CloudEvents look for it."
        ),
        fields=frozenset({"header ce_dataschema", "header ce_traceparent"}),
        events=ANY,
    ),
)


class Difference(Struct, frozen=True, kw_only=True):
    """One field of one message that is not as recorded."""

    event: str
    place: str
    field: str
    recorded: object
    today: object

    def __str__(self) -> str:
        """The difference in a few lines for people."""
        return (
            f"{self.event} ({self.place}), {self.field}:\n"
            f"    recorded {self.recorded!r}\n    today    {self.today!r}"
        )


def differences(recorded: Iterable[Message], today: Iterable[Message]) -> list[Difference]:
    """Where the messages of a topic differ, the first ones first in each partition.

    Messages with an id (`ce_id`) are matched by it; others (rechecks) by partition, key and
    deciding record, so that one more does not make all later ones differ.
    """
    before, after = by_partition(recorded), by_partition(today)
    found: list[Difference] = []
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number, []), after.get(number, [])
        if list(map(_content, old)) != list(map(_content, new)):
            found += _of_partition(old, new)
    return found


def unexplained(found: Iterable[Difference], changes: Iterable[Change]) -> list[str]:
    """What of `found` none of `changes` names, and what `changes` name and is not in `found`."""
    changes = list(changes)
    texts = []
    used: set[tuple[str, str]] = set()
    for one in found:
        mine = [
            e
            for e in changes
            if (e.events == ANY or one.event in e.events) and one.field in e.fields
        ]
        used |= {(e.reason, "any" if e.events == ANY else one.event) for e in mine}
        if not mine:
            texts.append(str(one))
    return texts + [
        f"{event} is said to differ ({entry.rule}) and does not: take it out of CHANGES"
        for entry in changes
        for event in sorted(entry.events)
        if (entry.reason, event) not in used
    ]


def told(texts: list[str]) -> str:
    """The first of these differences as the text of an assertion, empty if there is none."""
    if not texts:
        return ""
    more = f"\n… and {len(texts) - 12} more" if len(texts) > 12 else ""
    return (
        f"{len(texts)} differences to the golden log that nobody gave a reason for (see "
        "tests/golden/differences.py):\n" + "\n".join(texts[:12]) + more
    )


def walk(recorded: object, today: object, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places where two values of JSON or msgpack differ, and both sides."""
    if isinstance(recorded, dict) and isinstance(today, dict):
        for key in [*recorded, *(key for key in today if key not in recorded)]:
            where = f"{path}.{key}" if path else str(key)
            yield from walk(recorded.get(key, "nothing"), today.get(key, "nothing"), where)
    elif isinstance(recorded, list) and isinstance(today, list) and len(recorded) == len(today):
        for number, (old, new) in enumerate(zip(recorded, today, strict=True)):
            yield from walk(old, new, f"{path}[{number}]")
    elif recorded != today or type(recorded) is not type(today):
        yield path or "all of it", recorded, today


def _content(one: Message) -> tuple[object, ...]:
    return one.key, one.headers, one.value, one.because


def _name(one: Message) -> str:
    for header, value in one.headers:
        if header == "ce_id":
            return value.decode()
    return f"{one.partition}/{(one.key or b'').decode()}/{one.because}"


def _words(one: Message) -> str:
    """What a message says, in a line."""
    said = msgspec.json.decode(one.value or b"null", type=_Said)
    what = [said.event, said.incident_type, said.because, said.target or said.region]
    return f"{' '.join(word for word in what if word)}: {said.summary or said.host}"


class _Said(Struct):
    event: str = ""
    incident_type: str = ""
    because: str = ""
    target: str = ""
    region: str = ""
    summary: str = ""
    host: str | None = ""


def _place(one: Message) -> str:
    return f"partition {one.partition}, by record {one.because} of [results]"


def _of_partition(recorded: list[Message], today: list[Message]) -> Iterator[Difference]:
    new = {_name(one): one for one in today}
    old = {_name(one): one for one in recorded}
    for name, one in old.items():
        if name not in new:
            yield Difference(
                event=name, place=_place(one), field="missing", recorded=_words(one), today=None
            )
        else:
            yield from _of_message(name, one, new[name])
    for name, one in new.items():
        if name not in old:
            yield Difference(
                event=name, place=_place(one), field="new", recorded=None, today=_words(one)
            )
    if len(new) != len(today) or len(old) != len(recorded):
        # The stream sends an event once for a record.
        yield Difference(
            event="an event that comes twice",
            place=f"partition {(today or recorded)[0].partition}",
            field="count",
            recorded=len(recorded),
            today=len(today),
        )
    common = [name for name in old if name in new]
    for name, other in zip(common, [name for name in new if name in old], strict=True):
        if name != other:
            yield Difference(
                event=other,
                place=_place(new[other]),
                field="order",
                recorded=f"{name} here",
                today=f"{other} here",
            )
            return


def _of_message(name: str, old: Message, new: Message) -> Iterator[Difference]:
    place = _place(old)
    pairs: list[tuple[str, object, object]] = [
        ("key", old.key, new.key),
        ("because", old.because, new.because),
    ]
    pairs += [
        (f"header {header}", before, after)
        for header, before, after in walk(dict(old.headers), dict(new.headers))
    ]
    if old.headers != new.headers and dict(old.headers) == dict(new.headers):
        pairs.append(("headers", old.headers, new.headers))
    if old.value != new.value:
        fields = list(
            walk(
                msgspec.json.decode(old.value or b"null"), msgspec.json.decode(new.value or b"null")
            )
        )
        pairs += fields or [("bytes", old.value, new.value)]
    for field, before, after in pairs:
        if before != after:
            yield Difference(event=name, place=place, field=field, recorded=before, today=after)
