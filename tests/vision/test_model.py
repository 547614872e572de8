"""A classifier by the name of its architecture."""

import re
from pathlib import Path

import pytest
import torch
from small import params

from runhive.errors import RunhiveError
from runhive.vision import lite0
from runhive.vision.lesson import preprocess_of
from runhive.vision.model import Classifier, build_backbone, head_name, load_pretrained, normalisation
from runhive.vision.train import make_classifier

GOOGLENET = pytest.mark.filterwarnings("ignore:The default weight initialization")
HEADS = {
    "resnet18": "fc",
    "squeezenet1_0": "classifier.1",
    "vgg11": "classifier.6",
    "mobilenet_v3_small": "classifier.3",
    "efficientnet_b0": "classifier.1",
    "convnext_tiny": "classifier.2",
    "densenet121": "classifier",
    "vit_b_16": "heads.head",
    "regnet_y_400mf": "fc",
    "efficientnet_lite0": "classifier",
}


def refusal(arch: str) -> str:
    with pytest.raises(RunhiveError) as raised:
        build_backbone(arch, 2)
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value).removeprefix("params.yaml: model.arch: ")


@pytest.mark.parametrize("arch", HEADS)
def test_the_head_is_the_layer_that_follows_the_number_of_classes(arch: str) -> None:
    assert head_name(arch) == HEADS[arch]


@GOOGLENET
@pytest.mark.parametrize("arch", ["googlenet", "inception_v3"])
def test_an_architecture_with_several_heads_is_refused(arch: str) -> None:
    with pytest.raises(RunhiveError, match=f"{arch} has . heads: choose one with a single head"):
        head_name(arch)


@GOOGLENET
def test_an_architecture_with_several_heads_is_refused_before_it_is_trained_from_nothing() -> None:
    with pytest.raises(RunhiveError, match="googlenet has 3 heads"):
        make_classifier(params("model.arch=googlenet").model, 2, 0)


@pytest.mark.parametrize(
    ("arch", "near"), [("resnet81", "resnet18"), ("efficientnet_lite", "efficientnet_lite0"), ("vitb16", "vit_b_16")]
)
def test_an_unknown_architecture_suggests_the_nearest(arch: str, near: str) -> None:
    assert refusal(arch) == f"there is no architecture {arch!r}: did you mean {near}?"


def test_an_architecture_like_no_other_says_where_they_are_listed() -> None:
    assert refusal("zzzzzz") == "there is no architecture 'zzzzzz': see torchvision.models.list_models()"


def test_a_function_of_ones_own_builds_the_network(own: str) -> None:
    assert build_backbone(own, 5)(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert head_name(own) == "8"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("own:nett", "module 'own' has no function 'nett'"),
        ("own:constant", "module 'own' has no function 'constant'"),
        ("own:no_module", "own:no_module returned int, not a torch module"),
        ("nowhere:net", "no module 'nowhere' in the repository's root"),
        ("nowhere.deep:net", "no module 'nowhere' in the repository's root"),
        ("own.deep:net", "no module 'own.deep' in the repository's root"),
    ],
)
def test_a_function_that_is_none_is_the_users_mistake(arch: str, said: str) -> None:
    assert refusal(arch) == said


@pytest.mark.usefixtures("own")
def test_a_function_with_several_heads_is_refused_where_one_is_needed() -> None:
    with pytest.raises(RunhiveError, match="own:two_heads has 2 heads"):
        head_name("own:two_heads")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("import torch.nothing_such", ModuleNotFoundError),
        ("import owned", ModuleNotFoundError),
        ("{}.gone", AttributeError),
    ],
)
def test_a_bug_in_a_module_of_ones_own_keeps_its_traceback(
    body: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "owned_badly.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(error):
        build_backbone("owned_badly:net", 2)


def test_weights_for_a_network_of_ones_own_are_ones_own(own: str) -> None:
    with pytest.raises(RunhiveError, match="Runhive has none for own:net: load them there and write none"):
        load_pretrained(build_backbone(own, 2), own)


def test_weights_that_need_the_network_name_the_offline_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    try:
        load_pretrained(build_backbone("squeezenet1_1", 2), "squeezenet1_1")
    except RunhiveError as error:
        said = str(error)
    else:
        pytest.skip("download.pytorch.org answers")

    assert len(said.splitlines()) == 1
    assert re.search(r"are not in .*checkpoints and download.pytorch.org does not answer", said)
    assert str(tmp_path) in said
    assert said.endswith(
        "offline, set model.arch: efficientnet_lite0, whose weights are installed, or model.weights: none"
    )


def test_weights_in_the_cache_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    cached = tmp_path / "hub/checkpoints/squeezenet1_1-b8a52dc0.pth"
    torch.save(build_backbone("squeezenet1_1", 1000).state_dict(), cached)
    backbone = build_backbone("squeezenet1_1", 2)
    load_pretrained(backbone, "squeezenet1_1")

    assert backbone.state_dict()["classifier.1.weight"].shape[0] == 2


def test_imagenet_weights_fill_all_but_the_head() -> None:
    """The head is the seed's, the rest the package's."""
    model = params("model.arch=efficientnet_lite0", "model.weights=imagenet").model
    first, second = (make_classifier(model, 2, seed).backbone.state_dict() for seed in (0, 1))
    packaged = lite0.imagenet_weights()
    different = [name for name in packaged if not torch.equal(first[name], packaged[name])]

    assert different == ["classifier.weight", "classifier.bias"]
    assert [name for name in first if not torch.equal(first[name], second[name])] == different


def test_without_weights_the_network_is_the_seeds(own: str) -> None:
    model = params(f"model.arch={own}").model
    one, same, other = (make_classifier(model, 2, seed).state_dict() for seed in (3, 3, 4))

    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["backbone.0.weight"], other["backbone.0.weight"])


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet_lite0"])
def test_normalisation_is_inside_the_classifier_and_not_in_its_weights(arch: str) -> None:
    mean, std = normalisation(arch)
    classifier = Classifier(torch.nn.Identity(), mean, std)
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    expected = (images / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)

    assert torch.allclose(classifier(images), expected, atol=1e-5)
    assert classifier.state_dict() == {}
    assert (preprocess_of(params(f"model.arch={arch}").model).mean) == mean
